"""What fetchers hand over to the one writer of an archive: segments, in an object store or a shared directory.

    inbox/archive                       the id of the archive, written by its writer
    inbox/{fetcher}/{number}.warc.gz    a segment: pages, faults and requests of at most 256 addresses; never changed
    chunks/{name}.jsonl                 finds whose addresses a fetcher is to fetch, written by the archive's writer

chunks.py    chunks of finds for fetchers
inbox.py     the segments in the store: put, listed, read, deleted
progress.py  what a fetcher has done of its chunk, and the number of its newest segment
records.py   the records of a segment, as bytes and back
segment.py   a whole segment, checked and read
spool.py     the fetcher's side: appends to the segment that is open, seals it, keeps it until it is in the store
"""
