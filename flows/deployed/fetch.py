"""The flow `fetch`: a chunk of articles, on a machine without an archive."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.client.schemas.objects import State

from flows.deployed.flow_runs import states
from flows.deployed.flow_runs.execution import RunBridge, as_task, in_thread
from flows.deployed.flow_runs.housekeeping import record_process
from flows.deployed.flow_runs.parameters import naver_address
from flows.runs.fetch import FetchOrder
from flows.runs.fetch import fetch as run_fetch
from flows.runs.settings import shared_inbox, topic_from
from schemas.errors import BadInput
from storage.inbox.chunks import read_chunk

_WAIT = 60.0
"""Seconds to wait for another run with this fetcher's directory."""


def _name() -> str:
    """Called by Prefect for the name of the run, before it is *Running*."""
    record_process()
    return f"fetch {runtime.flow_run.parameters.get('chunk')} by {os.environ.get('SEOGO_FETCHER', 'nobody')}"


@flow(name="fetch", flow_run_name=_name, validate_parameters=False)
async def fetch(chunk: str) -> State[Any]:
    """Fetch the articles of a chunk, and put them into the store as segments.

    SEOGO_FETCHER is the name of this machine's fetcher, SEOGO_SPOOL its directory, SEOGO_STORE the store.

    Args:
        chunk: The name of the chunk, as in the receipt of the crawl that handed it out.
    """
    return await as_task("fetch the pages", partial(_fetch, chunk))


async def _fetch(chunk: str) -> State[Any]:
    order = _order(chunk)
    bridge = RunBridge()
    report = await in_thread(partial(bridge.run, lambda stop: run_fetch(order, stop=stop)), bridge)
    get_run_logger().info("%d pages, in %s", report.pages, ", ".join(report.segments) or "no segment yet")
    return states.of_report(report)


def _order(chunk: str) -> FetchOrder:
    if not (name := os.environ.get("SEOGO_FETCHER")):
        raise BadInput("SEOGO_FETCHER is not set: give each fetching machine a name of its own.")
    topic = os.environ.get("SEOGO_TOPIC")
    inbox = shared_inbox(os.environ)
    return FetchOrder(
        topic=topic_from(Path(topic) if topic else None),
        inbox=inbox,
        fetcher=name,
        state=Path(os.environ.get("SEOGO_SPOOL", "fetcher")),
        refs=read_chunk(inbox.store, chunk),
        naver=naver_address(),
        wait=_WAIT,
        chunk=chunk,
    )
