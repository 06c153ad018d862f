"""Small files below `state/` of an archive.

fence.py          the lease of an archive over several machines, in PostgreSQL
lease.py          the lock that admits one writer
holder.py         which process holds the lock, without taking it
checksums.py      checksums of the two database files
backoff.py        the pauses of hosts
baseline.py       the baseline of the drift alarm
held_segments.py  the fetchers whose segments wait
uploads.py        the captures that wait to be uploaded
json_file.py      a JSON file: validated when it is read, replaced as a whole
last_verify.py    time and result of the last verification
deliveries.py     how far each webhook has received the changes, and its dead letters
"""
