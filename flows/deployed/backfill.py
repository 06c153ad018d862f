"""The flow `backfill`: a range of days, or the gaps in coverage."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from prefect.client.schemas.objects import State

from flows.deployed.flow_runs.blocks import api_keys
from flows.deployed.flow_runs.execution import with_receipt
from flows.deployed.flow_runs.parameters import BackfillParameters, naver_address
from flows.deployed.flow_runs.run_flow import run_flow
from flows.runs.backfill import BackfillOrder
from flows.runs.backfill import backfill as run_backfill
from schemas.article import SEOUL


@run_flow(BackfillParameters, task="read the days")
async def backfill(parameters: BackfillParameters) -> State[dict[str, Any]]:
    """Read the sources of past days to their end, window by window. Resumes where an earlier backfill stopped."""
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
