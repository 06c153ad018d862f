"""Search in Korean: an index beside the readers' database, derived from it, and what is asked of it.

tokens.py      a text as pairs of syllables
query.py       what a person types, as an expression of FTS5
index.py       the SQLite file: opened, written, checked
follower.py    the index follows the change feed
results.py     a search, ranked and filtered
facets.py      a page of a search with the counts of its filters
snippets.py    where the words stand in a text
"""
