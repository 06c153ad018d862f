"""The commands, as functions whose parameters are the options. `flows.cli.app` registers them by name.

fetch.py      crawl, refresh, backfill
fetchers.py   fetch, take-in
maintain.py   import, verify, repair, rebuild, reparse, reassess
captures.py   captures move
publish.py    publish, export, report, digest
webhooks.py   webhooks
query.py      status, show, story, sql
search.py     search
serve.py      serve, mcp
doctor.py     doctor
tools.py      parse, topic check, replica, demo
demo.py       what `demo` does
"""
