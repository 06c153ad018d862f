"""Longer programs that prove one property each. The tests run a part of them.

torture           kills a crawl at every kind of step and checks what the next run makes of it (`make torture`)
drift_proof       the drift alarm against all mutations and against clean crawls
two_writers       two processes compete for the lease of an archive
readers_at_work   processes that write, read, or keep a connection open
"""
