"""The redo log of a run, and its replay into the database and the Markdown files.

entries.py     journal entries as bytes and back
commit.py      commits one entry as one transaction
entry_rows.py  the rows of an entry, as pure functions
stories.py     commits the entry of near-duplicates: pairs, stories, and their changes
events.py      the changes of an entry as numbered events: the change feed
staging.py     Markdown files: staged before the commit, renamed into place after it
tables.py      the tables that journals determine, and their keys
recovery.py    recovers from a run that was killed
"""
