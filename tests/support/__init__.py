"""Shared by the tests: no test is defined here.

paths.py          the checkout, the test data, and the captured pages outside the project
values.py         articles, finds, pages and results with default values
topics.py         topics derived from the demo's topic
archives.py       small archives, killed runs, and the whole content of an archive
new_databases.py  new databases as copies of one that was created before
older_archive.py  documents of the existing archive in both dialects
histories/        archives after many runs
checks.py         checks of `seogo doctor`, and the whole content of a directory
command.py        runs the command `seogo`, in this process or in its own
replica.py        requests to the replica, and the ground truth of its pages
naver/            handwritten pages and responses of Naver
servers/          servers: raw bytes, Prefect, PostgreSQL, `seogo serve`; a browser
drift.py          pages by layout, and a learned baseline
reports.py        hostile text, and changes to a snapshot
search.py         an archive for the tests of the search index
prose.py          made-up Korean prose
secrets.py        a Search API that echoes keys, and a search through all files of an archive
disks.py          small mounted disks
"""
