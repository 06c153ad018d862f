"""The Prefect deployments: thin flows around the functions in flows/runs. The only room that imports prefect.

crawl.py refresh.py backfill.py     the flows, one per file, named as in prefect.yaml
reparse.py reassess.py publish.py report.py verify.py
run_flow.py      the decorator of the flows: parameters, checks before and after the work
parameters.py    what a deployment can set
blocks.py        the API's keys, from Secret blocks or the environment
execution.py     a plain function in a thread, with progress, stopping and a receipt
quiet_end.py     one line in the log for a cancellation
states.py        the end of a run as a Prefect state
artifacts.py     the artifacts of a run
archive_mark.py  a mark outside the archive, by which a missing or exchanged one is noticed
housekeeping.py  ends runs whose process is gone, names runs that wait
events.py        the events that seogo sends: what was stored, silences
triggers.py      automations that keep the queue free, and publish
alerts.py        automations that notify a person
automations.py   brings the automations to a server
template.py      the deployments of prefect.yaml, also for further topics and archives
apply.py         brings pool, queues, deployments and automations to a server
server.py        waits until the server answers
worker.py        starts a worker
drain.py         pauses the pool and waits until no run is active
health.py        what `seogo doctor` checks of Prefect
processes.py     a server and a worker on this machine
local.py         all of it on this machine, against the replica (make prefect)
"""
