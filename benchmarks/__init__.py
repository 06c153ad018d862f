"""Benchmarks: programs that print figures. README.md in this folder explains them and lists the results.

crawling       a whole crawl, compared with Scrapy
parsing        parsing one article page, compared with building its whole tree
nothing_new    a run that finds nothing new, by size of the archive
refreshing     a refresh of unchanged articles, with and without 304 responses
memory         peak memory of an import and of a crawl
safety         the cost of syncing, and of recovery after a kill
publishing     publishing the snapshot, and exporting a small change
exports        exports, publication and reports
reading        the start of `seogo sql`, and each example query
engine         what Prefect adds to a crawl
screenshot     the screenshots in docs/images

support        measuring a command, options, output
documents      generated articles as archives and as documents to import
pages          generated article pages as files
nginx          nginx as a child process
peers          the virtual environment of the other crawlers
scrapy_peer    the Scrapy crawler of `crawling`
"""
