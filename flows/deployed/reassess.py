"""The flow `reassess`: all texts by today's topic file, without a request."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect.client.schemas.objects import State

from flows.deployed.flow_runs import artifacts, states
from flows.deployed.flow_runs.execution import RunBridge, in_thread
from flows.deployed.flow_runs.parameters import ReassessParameters
from flows.deployed.flow_runs.run_flow import run_flow
from flows.reports.run_summary import listing
from flows.runs.reassess import Reassessed, ReassessOrder
from flows.runs.reassess import reassess as run_reassess
from schemas.receipt import ExitReason

_FAILED = {ExitReason.PARTLY_FAILED: "PartlyFailed", ExitReason.INTERRUPTED: "Interrupted"}


@run_flow(ReassessParameters, task="assess the texts")
async def reassess(parameters: ReassessParameters) -> State[dict[str, Any]]:
    """Assess all texts of the archive by today's topic file, without a request."""
    order = ReassessOrder(
        topic=parameters.read_topic(),
        archive=parameters.archive_path,
        dry_run=parameters.dry_run,
        wait=parameters.wait_seconds,
    )
    bridge = RunBridge()
    done = await in_thread(partial(run_reassess, order, on_progress=bridge.report, stopped=bridge.stopped), bridge)
    await artifacts.markdown(
        "reassess", listing(f"reassess: {done.exit_reason}", done.summary, _lines(done)), done.summary
    )
    return states.of_outcome(f"{done.exit_reason}: {done.summary}", failed=_FAILED.get(done.exit_reason))


def _lines(done: Reassessed) -> list[str]:
    fields = [f"{name}: differs in {number}" for name, number in done.fields.most_common()]
    return fields + [f"{article_id}: {reason}" for article_id, reason in done.failed.items()]
