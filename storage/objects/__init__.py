"""Object stores: S3 and what speaks its protocol, a directory, or memory (for tests).

address.py   the address of a place in a store: `s3://bucket/prefix`
store.py     creates, reads, lists and deletes objects
faults.py    what went wrong, as errors of `schemas.errors`

Needs the extra `store` (obstore). Credentials come from the environment (`AWS_…`) and from nowhere else.
"""
