"""The archive as a web site: pages for people, a JSON API for programs. Read-only: no request writes anything.

server.py             the process: port, signals, the thread that keeps the search index up to date
workers.py            several processes at one port
app.py                routes, and errors as pages or as problem+json
guard.py              what every request passes: the Host header, limits, security headers, metrics
context.py            what a response is made with: archive, language, links, templates
response_cache.py     responses that are kept while the archive is the same
search_parameters.py  the parameters of a search, read from a URL
outputs.py            a search as CSV, JSON, Parquet, Atom
metrics.py            the state of the archive for Prometheus
language.py           which language a reader wants

pages/                the pages for people
programs/             the JSON API, and AI assistants
content/              what both show, read from a snapshot
"""
