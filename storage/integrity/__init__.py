"""Checks that an archive is consistent, and repairs it from its captures.

verify        compares files, rows and captures
repair        verifies in any state, and repairs what the captures allow
rebuild       a second database, built from nothing but the captures
unjournaled   what only the database knows, because no journal has it any more
"""
