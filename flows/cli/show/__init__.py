"""What the command line prints. Most of it imports rich, which is slow: commands import these modules when they run.

safe.py       text that is safe in a terminal (without rich, as values.py, meter.py and progress.py)
terminal.py   standard output and error
values.py     one value: as a cell for people, as JSON for programs
rows.py       rows of a query: a table, CSV, JSON
run.py        the receipt of a run
archive.py    status, verification, repair, reparse
article.py    an article, its history, its differences
story.py      a story, and a text against the one that it comes from
exports.py    publish, export, report
search.py     the hits of a search
fetcher.py    the report of a fetcher
topic.py      a topic file
checks.py     the checks of `seogo doctor`
meter.py      the progress of a run in words
progress.py   a run while it runs, in plain lines
live.py       the same in a terminal
reading.py    a command that reads all captures, while it runs
"""
