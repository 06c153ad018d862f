"""The writer's DuckDB database, and the snapshot of it for readers.

writer.py       Database: the connection, migrations, and all SQL that writes
opening.py      creates or opens the database of an archive
queries.py      what is looked up before something is fetched or decided
rows.py         results of finds as rows, and rows as values
snapshot.py     copies the database for readers, as a whole
publisher.py    when the snapshot is replaced: during a long run, and at the end
compaction.py   rewrites the database without its free blocks
migrations/     numbered SQL files that are only ever added to; comments.sql describes tables and columns
"""
