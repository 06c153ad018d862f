"""The polite HTTP client: the only package that sends requests.

client.py      Client: fetches one URL, with robots.txt, throttle, retries and redirects; returns a page or a fault
hosts.py       which URLs may be requested, and where their requests are sent (Naver or a stand-in)
robots.py      what each host's robots.txt allows, and its Crawl-delay
throttle.py    the spacing and the number of concurrent requests of one host
turns.py       one pace for several machines, kept in PostgreSQL
backoff.py     pauses after faults: `Retry-After`, jitter, kept across processes
network.py     whether there is a network at all
transport.py   one request and its response over http or https, within limits of time and size
plain_http.py  the transport for http, imported on first use
exceptions.py  exceptions of the network as faults of a fetch
"""

import sys
from typing import Any, cast

# httpx imports its own command line program if it can, and with it click and pygments: a twelfth of a run that finds
# nothing new. Without that module it does without.
cast("dict[str, Any]", sys.modules).setdefault("httpx._main", None)
