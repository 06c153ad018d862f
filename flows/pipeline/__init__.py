"""From a find to its outcome. Independent of Prefect, HTTP, SQL and the archive.

batches.py     processes finds in batches: while one is fetched, the previous one is judged and stored
visit.py       one find up to its article: fetch, capture, parse; faults become outcomes
hand_out.py    finds for fetchers, instead of visits
judge.py       a batch of parsed pages: drift, relevance, and the outcome of each find
decide.py      the rules: whether to fetch, what an article means to the archive, when it is due again
relevance.py   how relevant a text is to the topic, with reasons
stop.py        ends a run early, without losing what was fetched
"""
