"""What the command line prints. Imports rich, which is slow: commands import these modules when they run.

terminal.py  standard output and error, text that is safe in a terminal
values.py    one value: as a cell for people, as JSON for programs
rows.py      rows of a query: a table, CSV, JSON
run.py       the receipt of a run
archive.py   status, verification, repair, reparse
article.py   an article, its history, its differences
story.py     a story, and a text against the one that it comes from
exports.py   publish, export, report
search.py    the hits of a search
fetcher.py   the report of a fetcher
topic.py     a topic file
checks.py    the checks of `seogo doctor`
progress.py  a run while it runs
reading.py   a command that reads all captures, while it runs
"""
