"""What all flows share: from the parameters of a flow run to its state and its artifacts.

run_flow.py      the decorator of the flows: parameters, checks before and after the work
parameters.py    what a deployment can set
blocks.py        keys, secrets and the mail server, from blocks or the environment
execution.py     a plain function in a thread, with progress, stopping and a receipt
cancellation.py  a cancellation that the worker did not notice; one line in the log
states.py        the end of a run as a Prefect state
artifacts.py     the artifacts of a run
archive_mark.py  a mark outside the archive, by which a missing or exchanged one is noticed
housekeeping.py  ends runs whose process is gone, names runs that wait
"""
