"""The Prefect deployments: thin flows around the functions in flows/runs. The only room that imports prefect.

crawl.py refresh.py backfill.py     the flows, one per file, named as in prefect.yaml
reparse.py reassess.py publish.py report.py digest.py verify.py
fetch.py take_in.py                 many fetchers, one writer (deploy/fetchers.yaml)
flow_runs/       what all flows share: parameters, checks, execution, states, artifacts
automations/     what the server does by itself: triggers, alerts (`python -m flows.deployed.automations`)
template.py      the deployments of prefect.yaml, also for further topics and archives
apply.py         brings pool, queues, deployments and automations to a server
server.py        waits until the server answers
worker.py        starts a worker
drain.py         pauses the pool and waits until no run is active
health.py        what `seogo doctor` checks of Prefect
processes.py     a server and a worker on this machine
local.py         all of it on this machine, against the replica (make prefect)
"""
