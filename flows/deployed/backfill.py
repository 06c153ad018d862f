"""The flow `backfill`: a range of days, or the gaps in coverage."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.deployed.blocks import api_keys
from flows.deployed.execution import as_task, with_receipt
from flows.deployed.parameters import BackfillParameters, naver_address
from flows.runs.backfill import BackfillOrder
from flows.runs.backfill import backfill as run_backfill
from schemas.article import SEOUL

DEFAULTS = BackfillParameters()


@flow(
    name="backfill",
    flow_run_name="backfill {parameters.window} of {parameters.topic_name} into {parameters.archive_name}",
)
async def backfill(parameters: BackfillParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Read the sources of past days to their end, window by window. Resumes where an earlier backfill stopped."""
    return await as_task("read the days", partial(_backfill, parameters))


async def _backfill(parameters: BackfillParameters) -> State[dict[str, Any]]:
    first, last = parameters.days(datetime.now(SEOUL).date())
    order = BackfillOrder(
        topic=parameters.read_topic(),
        archive=parameters.archive_path,
        first=first,
        last=last,
        sources=parameters.sources,
        again=parameters.again,
        gaps=parameters.gaps,
        most_fetches=parameters.limit,
        naver=naver_address(),
        wait=parameters.wait_seconds,
        keys=await api_keys(),
    )
    return await with_receipt(partial(run_backfill, order))
