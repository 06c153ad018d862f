"""Where finished WARC files are: in the archive's directory, or in an object store.

settings.py    `archive.toml`: the id of the archive, and the address of the object store
store.py       `CaptureStore`: what both homes can do; the home of an archive
directory.py   the archive's directory
bucket.py      an object store, with the directory as its spool
upload.py      uploads finished files, reads them back, and deletes the local copies
move.py        takes an archive from one home to the other
"""
