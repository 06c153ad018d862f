"""Exports of an archive as files: all articles, or the changes behind a cursor.

full       whole exports: only files whose articles changed are written again
changes    the changes behind a cursor, as one file
records    articles of the snapshot as export records
folder     the folder of exports: its manifest, its lock, atomic replacement of files
parquet    one Parquet file per month
jsonl      JSON lines
markdown   a zip file of the Markdown files, with an index
atom       an Atom feed of the newest articles
"""
