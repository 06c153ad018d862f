"""Archives that have seen something: many runs, days, edits, faults.

analyst.py   an archive with copies, edits, deletions and a gap
worlds.py    an archive over several days on schedule, with the invariant that nothing is lost
crawls.py    whole crawls without any fault, in various orders
feed.py      random histories of an archive, and consumers of its change feed
journals.py  random journals, with every kind of entry
"""
