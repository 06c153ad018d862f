"""The writer's DuckDB database, and the snapshot of it for readers.

writer       Database: the connection, migrations, and all SQL that writes
queries      what is looked up before something is fetched or decided
rows         results of finds as rows, and rows as values
snapshot     publishes a copy of the database for readers, replaced as a whole
compaction   rewrites the database without its free blocks
migrations   numbered SQL files that are only ever added to; comments.sql describes tables and columns
"""
