"""The journal of a run: what it decided, and carrying that out in the database and in the Markdown files.

entries    journal entries as bytes and back
commit     carries one entry out as one transaction
events     the changes of an entry as numbered events: the change feed
staging    Markdown files: staged before the commit, renamed into place after it
recovery   recovers from a run that was killed
"""
