"""Search in Korean: an index beside the snapshot, derived from it, and the searches in it.

tokens.py      a text as pairs of syllables
query.py       the query language, as expressions of FTS5
index.py       the SQLite file: reading, writing, checking it
follower.py    the index follows the change feed
results.py     a search, filtered and ranked
facets.py      a page of a search with the counts of its filters
snippets.py    where the words of a query stand in a text
check.py       whether the index is what the archive's texts amount to
"""
