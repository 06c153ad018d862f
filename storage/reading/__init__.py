"""Read-only access to an archive, always through the snapshot; possible at any time, also during a crawl.

reader.py       opens the snapshot and runs queries
shared.py       one snapshot shared by the threads of a server
bounded.py      an untrusted query, in a process of its own
schema.py       whether the snapshot is that of an older seogo
changes.py      the change feed behind a cursor
arrow.py        query results as Arrow batches
examples.py     the example queries of examples/, by name
tables_doc.py   generates docs/tables.md from the schema
"""
