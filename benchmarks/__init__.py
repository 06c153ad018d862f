"""Benchmarks: programs that print figures. README.md in this folder explains them and lists the results.

crawling.py      a whole crawl, compared with Scrapy
parsing.py       parsing one article page, compared with building its whole tree
nothing_new.py   a run that finds nothing new, by size of the archive
refreshing.py    a refresh of unchanged articles, with and without 304 responses
memory.py        peak memory of an import and of a crawl
safety.py        the cost of syncing, and of recovery after a kill
publishing.py    publishing the snapshot, and exporting a small change
exports.py       exports, publication and reports
reading.py       the start of `seogo sql`, and each example query
relevance.py     judging texts: score, reasons, teams and models
engine.py        what Prefect adds to a crawl
screenshot.py    the screenshots in docs/images

support.py       measuring a command, options, output
documents.py     generated articles as archives and as documents to import
pages.py         generated article pages as files
nginx.py         nginx as a child process
peers.py         the virtual environment of the other crawlers
scrapy_peer.py   the Scrapy crawler of `crawling`
"""
