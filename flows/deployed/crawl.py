"""The flow `crawl`: new articles."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect.client.schemas.objects import State

from flows.deployed.flow_runs.blocks import api_keys
from flows.deployed.flow_runs.execution import with_receipt
from flows.deployed.flow_runs.parameters import CrawlParameters, naver_address
from flows.deployed.flow_runs.run_flow import run_flow
from flows.runs.crawl import CrawlOrder
from flows.runs.crawl import crawl as run_crawl


@run_flow(CrawlParameters, task="read the sources")
async def crawl(parameters: CrawlParameters) -> State[dict[str, Any]]:
    """Find new articles, fetch them, and archive those that are on topic."""
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
