"""The flow `publish`: the readers' database and the exports."""

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
from flows.runs.publish import PublishOrder
from flows.runs.publish import publish as run_publish


@run_flow(ArchiveParameters, task="write the exports")
async def publish(parameters: ArchiveParameters) -> State[Any]:
    """Update the readers' database and the exports. Cannot be stopped half-way: a cancelled run completes first."""
    order = PublishOrder(archive=parameters.archive_path, wait=parameters.wait_seconds)
    done = await in_thread(partial(run_publish, order))
    get_run_logger().info("%s", done.explanation)
    text = listing(f"publish {parameters.archive_name}", done.explanation, done.notes)
    await artifacts.markdown("publish", text, done.explanation)
    return states.of_outcome(done.explanation)
