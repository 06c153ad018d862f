"""Small files below `state/` of an archive.

lease         the lock that admits one writer
checksums     checksums of the two database files
backoff       the pauses of hosts
baseline      the baseline of the drift alarm
json_file     a JSON file: validated when it is read, replaced as a whole
last_verify   time and result of the last verification
"""
