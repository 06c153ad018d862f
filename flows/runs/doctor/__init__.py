"""What `seogo doctor` checks: everything that a run needs, without a run. Nothing here writes to the archive.

check.py        a finding: what was checked, how bad it is, what to do
software.py     Python and the libraries
archive.py      the archive directory: disk, lease, state files, snapshot, last run
settings.py     topic file, contact, stand-in for Naver
webhooks.py     the secrets of the webhooks, and whether their receivers accept what is sent
naver.py        robots.txt of each host, the clock, one page of each source, one article
keys.py         the Search API's keys, one request each
sources.py      the first page of a source, and one article, through the parsers
examination.py  all of them, in order
prefect.py      where a Prefect server is to be asked (the checks themselves: `flows.deployed.health`)
schedule.py     whether scheduled crawls happen, as that server knows
bundle.py       what a bug report needs, as a zip file
"""
