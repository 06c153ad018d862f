"""A replica of Naver on loopback: the same addresses and markup, with a generated corpus. Used only by tests,
benchmarks, the demo and `seogo replica`.

corpus/           the articles: the ground truth of every page
pages/            the articles as Naver's pages, lists and answers
finding.py        which articles a list or a search contains at a given time
freshness.py      ETag, Last-Modified and 304 responses
disorder.py       unstable list orders, and bursts of articles
faults.py         faults on demand, by rate or by rule
answers.py        a response, and how faults change it
hosts.py          Naver's hosts and paths
log.py            the request log, from which tests judge a crawler
clock.py          the clock of the replica
app.py server.py  the ASGI application, and the server around it
"""
