"""Checks that an archive is consistent, and repairs it from its captures.

verify.py       compares files, rows and captures
repair.py       verifies in any state, and repairs what the captures allow
journals/       what the journals of all captures come to, read by several processes
rebuild.py      a second database, built from nothing but the captures
bulk.py         its rows, inserted table by table
salvage.py      what is still readable in a damaged database
unjournaled.py  rows that no readable journal has: finds them, and journals them again
"""
