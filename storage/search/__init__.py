"""Search in Korean: an index that is derived from the snapshot, and the searches in it.

tokens.py      a text as pairs of syllables
query.py       the query language, as expressions of FTS5
spellings.py   the spellings of a word that occur
index.py       the SQLite file: its tables, writing and checking it
readers.py     connections that read it
follower.py    the index follows the change feed
results.py     a search, filtered and ranked
facets.py      a page of a search with the counts of its filters
snippets.py    where the words of a query occur in a text
check.py       compares the index with the archive's texts
"""
