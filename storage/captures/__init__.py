"""Raw responses and run journals in WARC files: the source from which everything else can be derived again.

writer.py          appends records to the files of a run, and syncs them
reader.py          reads a record by its offset, a page as it was fetched, or all records of a file
open_captures.py   the names of unfinished files in `state/open_capture`, for recovery
homes/             where finished files are: in the archive's directory, or in an object store
warc.py            WARC records as gzip members
"""
