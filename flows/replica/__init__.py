"""A stand-in for Naver on loopback: the same addresses and markup, with a generated corpus. Used only by tests,
benchmarks, the demo and `seogo replica`.

corpus                     the articles: the ground truth of every page, reproducible by seed
plan, writing              which article is published when, and its text
subjects, text, press      the vocabulary (subjects.yaml), Korean sentences, the fictitious press offices
article_pages, old_pages   article pages in all known layouts
list_pages                 lists by press office, section and day
search_pages               the search page, in the layouts of three years
search_answers             the Search API, and what a search finds
finding                    which articles a list or a search contains at a given time
notices                    pages without an article, and robots.txt
padding                    scripts and other markup around an article
freshness                  ETag, Last-Modified and 304 responses
disorder                   unstable list orders, and bursts of articles
faults                     faults on demand, by rate or by rule
answers                    a response, and how faults change it
hosts                      Naver's hosts and paths
log                        the request log, from which tests judge a crawler
clock                      the clock of the stand-in
app, server                the ASGI application, and the server around it
"""
