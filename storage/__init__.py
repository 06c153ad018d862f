"""Where things are stored: the database, the captures, the Markdown files, and the archive directory around them.

archive.py      an archive directory with one writer: its runs and batches
layout.py       the paths in an archive directory
files.py        atomic writes, checksums
scratch.py      folders for temporary files
tagged_json.py  values of several types as JSON
executor.py     worker processes, here or of a Dask scheduler
uploading.py    uploads finished captures to an object store, during a run and at its end

objects/     object stores: create, read, list and delete objects
captures/    raw responses and journals in WARC files
inbox/       what fetchers hand over: segments in a store
journal/     what a run decided, and carrying it out as transactions
database/    the writer's DuckDB database and the snapshot for readers
stories/     near-duplicates and stories: sketches, pairs, what has to be looked at again
state/       small files below `state/`: lease, checksums, pauses, baseline, last verification
reading/     read-only access to the snapshot
search/      the search index: queries, results, the follower that keeps it up to date
exports/     whole exports and changes as files
integrity/   verify, repair, rebuild
"""
