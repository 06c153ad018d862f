"""The flow `refresh`: known articles that are due."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect.client.schemas.objects import State

from flows.deployed.flow_runs.execution import with_receipt
from flows.deployed.flow_runs.parameters import RefreshParameters, naver_address
from flows.deployed.flow_runs.run_flow import run_flow
from flows.runs.refresh import RefreshOrder
from flows.runs.refresh import refresh as run_refresh


@run_flow(RefreshParameters, task="fetch due articles")
async def refresh(parameters: RefreshParameters) -> State[dict[str, Any]]:
    """Fetch known articles again that are due: about an hour, a day and a week after they were found."""
    order = RefreshOrder(
        topic=parameters.read_topic(),
        archive=parameters.archive_path,
        most_fetches=parameters.limit,
        naver=naver_address(),
        wait=parameters.wait_seconds,
    )
    return await with_receipt(partial(run_refresh, order))
