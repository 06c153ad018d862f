"""The flow `refresh`: known articles that are due again."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed.execution import Watch, as_flow, of_receipt
from flows.deployed.parameters import RefreshParameters, stand_in
from flows.runs.refresh import RefreshOrder
from flows.runs.refresh import refresh as refresh_plainly
from schemas.receipt import Receipt

DEFAULTS = RefreshParameters()


@flow(name="refresh", flow_run_name="refresh {parameters.subject} in {parameters.where}")
async def refresh(parameters: RefreshParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Fetch known articles again that are due: about an hour, a day and a week after they were found."""
    return await as_flow(fetch_again, parameters)


@task(name="fetch what is due again", cache_policy=NO_CACHE)
async def fetch_again(parameters: RefreshParameters) -> State[dict[str, Any]]:
    """One refresh, as one task."""
    return await of_receipt(partial(_refreshed, parameters))


def _refreshed(parameters: RefreshParameters, watch: Watch) -> Receipt:
    order = RefreshOrder(
        topic=parameters.read_topic(),
        archive=parameters.path,
        most_fetches=parameters.limit,
        naver=stand_in(),
        wait=parameters.wait_seconds,
    )
    return watch.run(lambda stop: refresh_plainly(order, stop=stop, on_progress=watch.tell))
