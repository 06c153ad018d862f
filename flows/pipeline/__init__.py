"""The way of an article from a find to its outcome. Knows no Prefect, no HTTP, no SQL and no archive.

batches.py     finds in batches: while one is fetched, the one before is judged and stored
visit.py       one find up to its article: fetch, capture, parse; faults become outcomes
judge.py       a batch of parsed pages: which drifted, which are on topic, what each one means to the archive
decide.py      the rules: fetch or not, what an article means to the archive, when it is due again
relevance.py   how relevant a text is to the topic, with reasons
stop.py        how a run is ended early and in order
"""
