"""Raw responses and run journals in WARC files: the source from which everything else can be derived again.

writer   appends records to the files of a run, and syncs them
reader   reads a record by its offset, a page as it was fetched, or all records of a file
warc     WARC records as gzip members
"""
