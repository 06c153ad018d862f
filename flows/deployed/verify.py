"""The flow `verify`: files, rows and captures of an archive, checked against each other."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from flows.deployed import artifacts, states
from flows.deployed.execution import as_task, in_thread
from flows.deployed.parameters import ArchiveParameters
from flows.reports.run_summary import listing
from storage.integrity.repair import verify_archive

DEFAULTS = ArchiveParameters()


@flow(name="verify", flow_run_name="verify {parameters.archive_name}")
async def verify(parameters: ArchiveParameters = DEFAULTS) -> State[Any]:
    """Check files, rows and captures against each other. Repairs nothing: `seogo repair` does.

    Cannot be stopped half-way: a cancelled run completes first.
    """
    return await as_task("check files, rows and captures", partial(_verify, parameters))


async def _verify(parameters: ArchiveParameters) -> State[Any]:
    found = await in_thread(partial(verify_archive, parameters.archive_path, wait=parameters.wait_seconds))
    faults = len(found.faults)
    result = f"{found.articles} articles, {found.files} files, {found.captures} captures: {faults or 'no'} faults"
    get_run_logger().info(result)
    await artifacts.markdown("verify", listing(f"verify {parameters.archive_name}", result, found.faults), result)
    return states.of_outcome(result, failed="Damaged" if faults else None)
