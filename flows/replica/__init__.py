"""A stand-in for Naver on loopback: the same addresses and markup, with a generated corpus. Used only by tests,
benchmarks, the demo and `seogo replica`.

corpus.py                        the articles: the ground truth of every page, reproducible by seed
plan.py, writing.py              which article is published when, and its text
subjects.py, text.py, press.py   the vocabulary (subjects.yaml), Korean sentences, the fictitious press offices
article_pages.py, old_pages.py   article pages in all known layouts
list_pages.py                    lists by press office, section and day
search_pages.py                  the search page, in the layouts of three years
search_answers.py                the Search API, and what a search finds
finding.py                       which articles a list or a search contains at a given time
notices.py                       pages without an article, and robots.txt
padding.py                       scripts and other markup around an article
freshness.py                     ETag, Last-Modified and 304 responses
disorder.py                      unstable list orders, and bursts of articles
faults.py                        faults on demand, by rate or by rule
answers.py                       a response, and how faults change it
hosts.py                         Naver's hosts and paths
log.py                           the request log, from which tests judge a crawler
clock.py                         the clock of the stand-in
app.py, server.py                the ASGI application, and the server around it
"""
