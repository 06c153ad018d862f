"""The Prefect deployments: thin flows around the functions in flows/runs. The only room that imports prefect.

crawl.py refresh.py backfill.py     the flows, one per file, named as in prefect.yaml
reparse.py publish.py report.py verify.py
parameters.py    what a deployment can set
blocks.py        the API's keys, from Secret blocks or the environment
execution.py     a plain function in a thread, with progress, stopping and a receipt
states.py        the end of a run as a Prefect state
artifacts.py     the artifacts of a run
automations.py   what the server does when a run is dead, late or failed
health.py        what `seogo doctor` checks of a server
apply.py         brings pool, queues, deployments and automations to a server
processes.py     a server and a worker on this machine
local.py         all of it on this machine, against the replica (make prefect)
"""
