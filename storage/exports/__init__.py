"""Exports of an archive as files: all articles, or the changes behind a cursor.

full.py       whole exports: only files whose articles changed are written again
changes.py    the changes behind a cursor, as one file
records.py    articles of the snapshot as export records
object_store.py   a whole state in an object store
delta.py      the articles as a Delta table
folder.py     the folder of exports: its manifest, its lock, atomic replacement of files
parquet.py    one Parquet file per month
jsonl.py      JSON lines
markdown.py   a zip file of the Markdown files, with an index
atom.py       an Atom feed of the newest articles
"""
