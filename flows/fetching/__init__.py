"""The polite HTTP client: the only package that sends requests.

client.py      Client: fetches one URL, with robots.txt, throttle, retries and redirects; returns a page or a fault
hosts.py       which URLs may be requested, and where their requests are sent (Naver or a stand-in)
robots.py      what each host's robots.txt allows, and its Crawl-delay
throttle.py    the spacing and the number of concurrent requests of one host
turns.py       one pace for several machines, kept in PostgreSQL
backoff.py     pauses after faults: `Retry-After`, jitter, kept across processes
network.py     whether there is a network at all
transport.py   one request and its response over http or https, within limits of time and size
"""
