"""The flow `crawl`: new articles."""

from __future__ import annotations

import os
from typing import Any

from prefect.client.schemas.objects import State
from prefect.deployments import arun_deployment

from flows.deployed.flow_runs.blocks import api_keys
from flows.deployed.flow_runs.execution import with_receipt
from flows.deployed.flow_runs.parameters import CrawlParameters, naver_address
from flows.deployed.flow_runs.run_flow import run_flow
from flows.pipeline.stop import Stop
from flows.runs.crawl import CrawlOrder
from flows.runs.crawl import crawl as run_crawl
from flows.runs.lifecycle import OnProgress
from flows.runs.settings import shared_inbox
from schemas.receipt import Receipt

FETCHING = "fetch/fetch-chunk"
"""The deployment that fetches a chunk, on a machine of the pool `seogo-fetchers`."""


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
        hand_out=shared_inbox(os.environ) if parameters.hand_out else None,
    )
    chunks: list[str] = []

    async def run(*, stop: Stop, on_progress: OnProgress) -> Receipt:
        receipt = await run_crawl(order, stop=stop, on_progress=on_progress)
        chunks.extend(receipt.handed_out)
        return receipt

    state = await with_receipt(run)
    for chunk in chunks:  # the same chunk twice is one run
        await arun_deployment(FETCHING, parameters={"chunk": chunk}, timeout=0, idempotency_key=chunk, as_subflow=False)
    return state
