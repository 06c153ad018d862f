"""The flow `crawl`: new articles."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed.blocks import api_keys
from flows.deployed.execution import Watch, as_flow, of_receipt
from flows.deployed.parameters import CrawlParameters, stand_in
from flows.runs.crawl import CrawlOrder
from flows.runs.crawl import crawl as crawl_plainly
from flows.sources.api_keys import ApiKey
from schemas.receipt import Receipt

DEFAULTS = CrawlParameters()
"""Never None: Prefect makes the run's name of it before the flow begins."""


@flow(name="crawl", flow_run_name="crawl {parameters.subject} into {parameters.where}")
async def crawl(parameters: CrawlParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Find new articles, fetch them, and archive what is on topic."""
    return await as_flow(read_sources, parameters)


@task(name="read the sources", cache_policy=NO_CACHE)
async def read_sources(parameters: CrawlParameters) -> State[dict[str, Any]]:
    """One crawl, as one task: an article is no task of its own (the server digests some 15 task runs a second)."""
    return await of_receipt(partial(_crawled, parameters, await api_keys()))


def _crawled(parameters: CrawlParameters, keys: dict[str, ApiKey], watch: Watch) -> Receipt:
    order = CrawlOrder(
        topic=parameters.read_topic(),
        archive=parameters.path,
        since=parameters.since,
        most_fetches=parameters.limit,
        naver=stand_in(),
        wait=parameters.wait_seconds,
        keys=keys,
    )
    return watch.run(lambda stop: crawl_plainly(order, stop=stop, on_progress=watch.tell))
