"""The flow `crawl`: new articles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
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
from schemas.errors import BadInput
from schemas.receipt import Receipt

FLOW = "fetch"
"""The flow that fetches a chunk, on a machine that only fetches (deploy/fetchers.yaml)."""


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
    await _start_fetching(chunks)
    return state


async def _start_fetching(chunks: Sequence[str]) -> None:
    """Start a run for each chunk. Machines with pools of their own get them in turn, beginning with any of them."""
    if not chunks:
        return
    async with get_client() as client:
        found = await client.read_deployments(flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])))
    machines = sorted(one.name for one in found)
    if not machines:
        raise BadInput(
            f"chunks that wait in the store: {len(chunks)}; but the server has no deployment of the flow {FLOW!r}. Run"
            " `python -m flows.deployed.apply --fetchers`; the articles are handed out again in an hour."
        )
    for number, chunk in enumerate(chunks, crc32(chunks[0].encode())):
        machine = machines[number % len(machines)]
        # The same chunk twice is one run.
        await arun_deployment(
            f"{FLOW}/{machine}", parameters={"chunk": chunk}, timeout=0, idempotency_key=chunk, as_subflow=False
        )
