"""The flow `verify`: files, rows and captures of an archive, checked against each other."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State

from flows.deployed.flow_runs import artifacts, states
from flows.deployed.flow_runs.execution import in_thread
from flows.deployed.flow_runs.parameters import ArchiveParameters
from flows.deployed.flow_runs.run_flow import run_flow
from flows.reports.run_summary import listing
from schemas.counted import counted
from storage.executor import Workers
from storage.integrity.repair import verify_archive


@run_flow(ArchiveParameters, task="check files, rows and captures")
async def verify(parameters: ArchiveParameters) -> State[Any]:
    """Check files, rows and captures against each other. Repairs nothing: `seogo repair` does.

    Cannot be stopped half-way: a cancelled run completes first.
    """
    root, wait = parameters.archive_path, parameters.wait_seconds
    found = await in_thread(partial(verify_archive, root, wait=wait, workers=Workers()))
    faults = len(found.faults)
    checked = (counted(found.articles, "article"), counted(found.files, "file"), counted(found.captures, "capture"))
    result = f"{', '.join(checked)}: {counted(faults, 'fault') if faults else 'no faults'}"
    get_run_logger().info(result)
    await artifacts.markdown("verify", listing(f"verify {parameters.archive_name}", result, found.faults), result)
    return states.of_outcome(result, failed="Damaged" if faults else None)
