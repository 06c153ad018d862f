"""The flow `publish`: the reader's snapshot and the exports."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed import artifacts, states
from flows.deployed.execution import Watch, as_flow, in_thread
from flows.deployed.parameters import Place
from flows.reports.run_summary import listing
from flows.runs.publish import PublishOrder
from flows.runs.publish import publish as publish_plainly
from schemas.errors import SeogoError

DEFAULTS = Place()


@flow(name="publish", flow_run_name="publish {parameters.where}")
async def publish(parameters: Place = DEFAULTS) -> State[Any]:
    """Replace the reader's snapshot and the exports, where the archive is ahead of them."""
    return await as_flow(make_exports, parameters)


@task(name="make the exports", cache_policy=NO_CACHE)
async def make_exports(parameters: Place) -> State[Any]:
    """One publication, as one task. It cannot be stopped half-way: a cancelled run ends when it is through."""
    order = PublishOrder(archive=parameters.path, wait=parameters.wait_seconds)
    try:
        published = await in_thread(Watch(), partial(publish_plainly, order))
    except SeogoError as error:
        return states.of_error(error)
    get_run_logger().info("%s", published.explanation)
    text = listing(f"publish {parameters.where}", published.explanation, published.notes)
    await artifacts.markdown("publish", text, published.explanation)
    return states.of_outcome(published.explanation)
