"""The flow `reparse`: the captures of the articles, or the pages in quarantine, parsed again."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect.client.schemas.objects import State

from flows.deployed.flow_runs import artifacts, states
from flows.deployed.flow_runs.execution import RunBridge, in_thread, with_receipt
from flows.deployed.flow_runs.parameters import ReparseParameters
from flows.deployed.flow_runs.run_flow import run_flow
from flows.reports.run_summary import listing
from flows.runs.quarantine import QuarantineOrder, reparse_quarantined
from flows.runs.reparse import Reparsed, ReparseOrder
from flows.runs.reparse import reparse as run_reparse
from schemas.receipt import ExitReason

_FAILED = {ExitReason.PARTLY_FAILED: "PartlyFailed", ExitReason.INTERRUPTED: "Interrupted"}


@run_flow(ReparseParameters, task="parse the captures")
async def reparse(parameters: ReparseParameters) -> State[dict[str, Any]]:
    """Parse captures again with the current parsers, without a request."""
    return await (_reparse_quarantined if parameters.quarantined else _reparse)(parameters)


async def _reparse_quarantined(parameters: ReparseParameters) -> State[dict[str, Any]]:
    order = QuarantineOrder(
        topic=parameters.read_topic(),
        archive=parameters.archive_path,
        accept=parameters.accept,
        wait=parameters.wait_seconds,
    )
    return await with_receipt(partial(reparse_quarantined, order))


async def _reparse(parameters: ReparseParameters) -> State[dict[str, Any]]:
    order = ReparseOrder(
        topic=parameters.read_topic(),
        archive=parameters.archive_path,
        since=parameters.since_time,
        ids=parameters.ids,
        dry_run=parameters.dry_run,
        wait=parameters.wait_seconds,
    )
    bridge = RunBridge()
    work = partial(run_reparse, order, on_progress=bridge.report, stopped=bridge.stopped)
    done = await in_thread(work, bridge)
    result = f"{done.read} captures were parsed, {done.changed} texts differ, {len(done.failed)} captures gave none"
    await artifacts.markdown("reparse", listing(f"reparse: {done.exit_reason}", result, _lines(done)), result)
    return states.of_outcome(f"{done.exit_reason}: {result}", failed=_FAILED.get(done.exit_reason))


def _lines(done: Reparsed) -> list[str]:
    fields = [f"{name}: differs in {number}" for name, number in done.fields.most_common()]
    return fields + [f"{article_id}: {reason}" for article_id, reason in done.failed.items()]
