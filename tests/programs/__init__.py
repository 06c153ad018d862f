"""Longer programs that prove one property each. The tests run a part of them.

torture.py           kills a crawl at every kind of step and checks what the next run makes of it (`make torture`)
fetchers.py          the same for fetchers and the archive that takes in from them
object_store.py      the same for an archive with an object store, and for moves there and back
killing.py           what these use: the steps of a process, and a kill at one of them
drift_proof.py       the drift alarm against all mutations and against clean crawls
two_writers.py       two processes compete for the lease of an archive
readers_at_work.py   processes that write, read, or keep a connection open
"""
