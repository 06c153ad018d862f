"""What all journals of an archive come to, without a second database. Tests hold it equal to a replay of the entries.

read.py       reads all captures, by a pool of workers
contents.py   what one WARC file holds: the function that workers call
keys.py       journal entries as keys: what decides which rows the tables end with
digests.py    digests of rows, as DuckDB hashes them
places.py     where rows are, and the digests of all files as columns
rows.py       the rows themselves, in files for a rebuild
fold.py       carries out the entries on the keys
stories.py    pairs and stories, for fold.py
sums.py       compares with a database: one sum of digests a table
"""
