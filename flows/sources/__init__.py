"""The sources of a topic: reads the articles that each of them names, from its cursor on.

readers.py       a topic's sources as queries, and the reader for each kind of source
search_api.py    Naver's Search API
search_page.py   Naver's search page
day_lists.py     the lists of press offices and sections, a page of articles for each day
reading.py       what all readers share: one reading of one source, its counts, and how it ends
window.py        the time range to read, and what was read before
api_keys.py      the Search API's keys, from the environment
"""
