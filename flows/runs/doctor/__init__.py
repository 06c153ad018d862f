"""What `seogo doctor` checks: everything that a run needs, without a run. Nothing here writes to the archive.

check.py        the result of a check: what was found, how bad it is, what to do
examination.py  all checks, in order
software.py     Python and the libraries
archive.py      the archive directory: disk, lease, state files, snapshot, last run
captures.py     the object store of the captures
settings.py     topic file, contact, stand-in for Naver
naver/          the checks that send requests to Naver
webhooks.py     the secrets of the webhooks, and whether their receivers accept what is sent
prefect.py      the address of the Prefect server (its checks: `flows.deployed.health`)
schedule.py     whether scheduled crawls happen, as that server knows
secrets.py      the secrets of the environment, which no output may contain
bundle.py       what a bug report needs, as a zip file
"""
