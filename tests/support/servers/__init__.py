"""Servers and the programs that talk to them.

http.py         a server of raw bytes, a manual clock, and a client
tls.py          a self-signed certificate
serving.py      `seogo serve` in this process, with an archive for it
browser.py      a headless browser
prefect.py      a Prefect server and worker
deployed.py     the deployments on such a server, and an operator's steps
receiver.py     a receiver of webhooks
mail.py         a mail server
s3.py           an object store that speaks S3, and misbehaves on request
swift.py        OpenStack Swift, a real one
postgresql.py   a PostgreSQL server
"""
