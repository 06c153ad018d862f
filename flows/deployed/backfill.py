"""The flow `backfill`: a range of days, or the gaps that the coverage ledger holds."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed.blocks import api_keys
from flows.deployed.execution import Watch, as_flow, of_receipt
from flows.deployed.parameters import BackfillParameters, stand_in
from flows.runs.backfill import BackfillOrder
from flows.runs.backfill import backfill as backfill_plainly
from flows.sources.api_keys import ApiKey
from schemas.article import SEOUL
from schemas.receipt import Receipt

DEFAULTS = BackfillParameters()


@flow(name="backfill", flow_run_name="backfill {parameters.window} of {parameters.subject} into {parameters.where}")
async def backfill(parameters: BackfillParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Read the sources of past days to their end, window by window. It goes on where it was stopped."""
    return await as_flow(read_days, parameters)


@task(name="read the days", cache_policy=NO_CACHE)
async def read_days(parameters: BackfillParameters) -> State[dict[str, Any]]:
    """One backfill, as one task."""
    return await of_receipt(partial(_filled, parameters, await api_keys()))


def _filled(parameters: BackfillParameters, keys: dict[str, ApiKey], watch: Watch) -> Receipt:
    first, last = parameters.days(datetime.now(SEOUL).date())
    order = BackfillOrder(
        topic=parameters.read_topic(),
        archive=parameters.path,
        first=first,
        last=last,
        sources=parameters.sources,
        again=parameters.again,
        gaps=parameters.gaps,
        most_fetches=parameters.limit,
        naver=stand_in(),
        wait=parameters.wait_seconds,
        keys=keys,
    )
    return watch.run(lambda stop: backfill_plainly(order, stop=stop, on_progress=watch.tell))
