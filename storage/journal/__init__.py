"""The journal of a run: what it decided, and carrying that out in the database and in the Markdown files.

entries.py    journal entries as bytes and back
commit.py     carries one entry out as one transaction
events.py     the changes of an entry as numbered events: the change feed
staging.py    Markdown files: staged before the commit, renamed into place after it
tables.py     the tables that journals determine, and their keys
recovery.py   recovers from a run that was killed
"""
