"""The flow `reparse`: texts derived once more from their captures, or the pages that wait in quarantine."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed import artifacts, states
from flows.deployed.execution import Watch, as_flow, in_thread, of_receipt
from flows.deployed.parameters import ReparseParameters
from flows.reports.run_summary import listing
from flows.runs.quarantine import QuarantineOrder, reparse_quarantined
from flows.runs.reparse import Reparsed, ReparseOrder
from flows.runs.reparse import reparse as reparse_plainly
from schemas.errors import SeogoError
from schemas.receipt import ExitReason, Receipt

DEFAULTS = ReparseParameters()


@flow(name="reparse", flow_run_name="reparse {parameters.what} of {parameters.where}")
async def reparse(parameters: ReparseParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Derive texts from their captures with today's parsers, without a request."""
    derive = derive_quarantined if parameters.quarantined else derive_again
    return await as_flow(derive, parameters)


@task(name="derive the quarantine", cache_policy=NO_CACHE)
async def derive_quarantined(parameters: ReparseParameters) -> State[dict[str, Any]]:
    """The pages in quarantine, with today's parsers, as one task."""
    return await of_receipt(partial(_released, parameters))


def _released(parameters: ReparseParameters, watch: Watch) -> Receipt:
    order = QuarantineOrder(
        topic=parameters.read_topic(),
        archive=parameters.path,
        accept=parameters.accept,
        wait=parameters.wait_seconds,
    )
    return watch.run(lambda stop: reparse_quarantined(order, stop=stop, on_progress=watch.tell))


@task(name="derive the texts", cache_policy=NO_CACHE)
async def derive_again(parameters: ReparseParameters) -> State[dict[str, Any]]:
    """The texts of the archive, with today's parsers, as one task."""
    watch = Watch()
    try:
        done = await in_thread(watch, partial(_derived, parameters, watch))
    except SeogoError as error:
        return states.of_error(error)
    said = f"{done.read} texts were derived, {done.changed} of them differ, {len(done.failed)} captures gave none"
    await artifacts.markdown("reparse", listing(f"reparse: {done.exit_reason}", said, _lines(done)), said)
    return states.of_outcome(f"{done.exit_reason}: {said}", failed=_FAILED.get(done.exit_reason))


_FAILED = {ExitReason.PARTLY_FAILED: "PartlyFailed", ExitReason.INTERRUPTED: "Interrupted"}


def _derived(parameters: ReparseParameters, watch: Watch) -> Reparsed:
    order = ReparseOrder(
        topic=parameters.read_topic(),
        archive=parameters.path,
        since=parameters.since_time,
        ids=parameters.ids,
        dry_run=parameters.dry_run,
        wait=parameters.wait_seconds,
    )
    return reparse_plainly(order, on_progress=watch.tell, stopped=watch.stopped)


def _lines(done: Reparsed) -> list[str]:
    fields = [f"{name}: differs in {number}" for name, number in done.fields.most_common()]
    return fields + [f"{id_}: {why}" for id_, why in done.failed.items()]
