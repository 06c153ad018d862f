"""Shared by the tests: no test is defined here.

paths.py                the checkout, the test data, and the captured pages outside the project
values.py               articles, finds, pages and results with default values
topics.py               topics derived from the demo's topic
archives.py             small archives, killed runs, and the whole content of an archive
analyst_archive.py      an archive with copies, edits, deletions and a gap
checks.py               checks of `seogo doctor`, and the whole content of a directory
command.py              runs the command `seogo`, in this process or in its own
replica.py              requests to the replica, and the ground truth of its pages
http_server.py          a server of raw bytes, a manual clock, and a client
small_naver.py          a small Naver of handwritten responses, and a sequence of crawls of it
naver_pages.py          pages in Naver's layouts
sources.py              responses by URL, and one reading of a source
older_archive.py        documents of the existing archive in both dialects
naver_search_pages.py   search pages since 2025
worlds.py               an archive over several days on schedule, with the invariant that nothing is lost
crawls.py               whole crawls without any fault, in various orders
drift.py                pages by layout, and a learned baseline
mutations/              mutations of article pages
feed_histories.py       random histories of an archive, and consumers of its change feed
prefect.py              a Prefect server and worker
browser.py              a headless browser
reports.py              hostile text, and changes to a snapshot
secrets.py              a Search API that echoes keys, and a search through all files of an archive
tls.py                  a self-signed certificate
disks.py                small mounted disks
"""
