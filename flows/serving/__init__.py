"""The archive as a web site: pages for people, a JSON API for programs. Read-only: no request writes anything.

server.py        the process: port, signals, the thread that keeps the search index up to date
app.py           routes, and errors as pages or as problem+json
guard.py         what every request passes: the Host header, limits, security headers, metrics
context.py       what a request is answered with: archive, language, links, templates
remembered.py    pages that were answered before, while the archive is the same
pages.py         the pages
article_page.py  the page of an article, its downloads, its capture
asked.py         the parameters of a search, read from an address
outputs.py       a search as CSV, JSON, Parquet, Atom
api.py           the JSON API
openapi.py       its description
assistant.py     the archive for AI assistants (MCP)
protocol.py      the same over HTTP
frozen.py        the first page as a file: `seogo report --html`
overview.py      what the first page and the page of the status tell
subjects.py      what is written: everything, of a team, by a publisher or a reporter
following.py     which publisher follows which
rising.py        words that are more frequent than before
stories.py       stories, where the archive has them
charts.py        the geometry of the charts, which are SVG
table_chart.py   a chart of any table, for /sql
metrics.py       the state of the archive for Prometheus
language.py      which language a reader wants, and the Korean words
"""
