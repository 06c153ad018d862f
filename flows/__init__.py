"""When and in what order things happen: discovering, fetching, deciding, and the flows and commands around them.

cli/            the command `seogo`
deployed/       the Prefect flows and deployments
runs/           everything that can be run, as plain functions
serving/        the archive as a web site and a JSON API, and for AI assistants
reports/        receipts and the state of the archive, as Markdown and as a page
sources/        finds from Naver's lists and searches
pipeline/       one find, from the decision to fetch it to its outcome
drift/          whether pages still look as before
fetching/       the polite HTTP client
delivery/       changes posted to webhooks
naver/          the parsers of Naver's pages
replica/        a replica of Naver
http_server.py  a listening socket and uvicorn, for `serving` and `replica`
"""
