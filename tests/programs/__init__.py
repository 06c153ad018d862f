"""Longer programs that prove one property each. The tests run a part of them.

torture.py           kills a crawl at every kind of step and checks what the next run makes of it (`make torture`)
drift_proof.py       the drift alarm against all mutations and against clean crawls
two_writers.py       two processes compete for the lease of an archive
readers_at_work.py   processes that write, read, or keep a connection open
"""
