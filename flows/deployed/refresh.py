"""The flow `refresh`: known articles that are due."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.deployed.execution import as_task, with_receipt
from flows.deployed.parameters import RefreshParameters, naver_address
from flows.runs.refresh import RefreshOrder
from flows.runs.refresh import refresh as run_refresh

DEFAULTS = RefreshParameters()


@flow(name="refresh", flow_run_name="refresh {parameters.topic_name} in {parameters.archive_name}")
async def refresh(parameters: RefreshParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Fetch known articles again that are due: about an hour, a day and a week after they were found."""
    return await as_task("fetch due articles", partial(_refresh, parameters))


async def _refresh(parameters: RefreshParameters) -> State[dict[str, Any]]:
    order = RefreshOrder(
        topic=parameters.read_topic(),
        archive=parameters.archive_path,
        most_fetches=parameters.limit,
        naver=naver_address(),
        wait=parameters.wait_seconds,
    )
    return await with_receipt(partial(run_refresh, order))
