"""The flow `crawl`: new articles."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.deployed.blocks import api_keys
from flows.deployed.execution import as_task, with_receipt
from flows.deployed.parameters import CrawlParameters, naver_address
from flows.runs.crawl import CrawlOrder
from flows.runs.crawl import crawl as run_crawl

DEFAULTS = CrawlParameters()
"""Not None: Prefect formats the name of the run before the flow begins."""


@flow(name="crawl", flow_run_name="crawl {parameters.topic_name} into {parameters.archive_name}")
async def crawl(parameters: CrawlParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Find new articles, fetch them, and archive those that are on topic."""
    # An article is no task of its own: the server handles some 15 task runs a second.
    return await as_task("read the sources", partial(_crawl, parameters))


async def _crawl(parameters: CrawlParameters) -> State[dict[str, Any]]:
    order = CrawlOrder(
        topic=parameters.read_topic(),
        archive=parameters.archive_path,
        since=parameters.since,
        most_fetches=parameters.limit,
        naver=naver_address(),
        wait=parameters.wait_seconds,
        keys=await api_keys(),
    )
    return await with_receipt(partial(run_crawl, order))
