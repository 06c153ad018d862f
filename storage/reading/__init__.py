"""Read-only access to an archive, always through the snapshot; possible at any time, also during a crawl.

reader       opens the snapshot and runs queries
changes      the change feed behind a cursor
arrow        query results as Arrow batches
examples     the example queries of examples/, by name
tables_doc   generates docs/tables.md from the schema
"""
