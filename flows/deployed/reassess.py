"""The flow `reassess`: all texts by today's topic file, without a request."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed import artifacts, states
from flows.deployed.execution import Watch, as_flow, in_thread
from flows.deployed.parameters import ReassessParameters
from flows.reports.run_summary import listing
from flows.runs.reassess import Reassessed, ReassessOrder
from flows.runs.reassess import reassess as reassess_plainly
from schemas.errors import SeogoError
from schemas.receipt import ExitReason

DEFAULTS = ReassessParameters()

_FAILED = {ExitReason.PARTLY_FAILED: "PartlyFailed", ExitReason.INTERRUPTED: "Interrupted"}


@flow(name="reassess", flow_run_name="reassess {parameters.where} by {parameters.subject}")
async def reassess(parameters: ReassessParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Assess all texts of the archive by today's topic file, without a request."""
    return await as_flow(assess_again, parameters)


@task(name="assess the texts", cache_policy=NO_CACHE)
async def assess_again(parameters: ReassessParameters) -> State[dict[str, Any]]:
    """The texts of the archive, by today's topic file, as one task."""
    watch = Watch()
    try:
        done = await in_thread(watch, partial(_assessed, parameters, watch))
    except SeogoError as error:
        return states.of_error(error)
    await artifacts.markdown(
        "reassess", listing(f"reassess: {done.exit_reason}", done.summary, _lines(done)), done.summary
    )
    return states.of_outcome(f"{done.exit_reason}: {done.summary}", failed=_FAILED.get(done.exit_reason))


def _assessed(parameters: ReassessParameters, watch: Watch) -> Reassessed:
    order = ReassessOrder(
        topic=parameters.read_topic(),
        archive=parameters.path,
        dry_run=parameters.dry_run,
        wait=parameters.wait_seconds,
    )
    return reassess_plainly(order, on_progress=watch.tell, stopped=watch.stopped)


def _lines(done: Reassessed) -> list[str]:
    fields = [f"{name}: differs in {number}" for name, number in done.fields.most_common()]
    return fields + [f"{id_}: {why}" for id_, why in done.failed.items()]
