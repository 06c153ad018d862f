"""The artifacts of a run: the first that it sends to the server after its work.

So here a run waits for a server that is away. Prefect's own client would double its pauses, and after an outage of five
minutes the run would hold its queue for three more. If the server stays away, a warning is logged and the run
continues.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import httpx
from prefect import get_run_logger
from prefect.artifacts import (
    acreate_link_artifact,
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.settings import PREFECT_API_URL

from flows.deployed.server import until_it_answers

T = TypeVar("T")


async def markdown(command: str, text: str, description: str) -> None:
    """A new version of the artifact `{command}-account`."""
    await _send(acreate_markdown_artifact, markdown=text, key=f"{command}-account", description=description)


async def table(command: str, rows: Sequence[Mapping[str, Any]], *, of: int) -> None:
    """A new version of the artifact `{command}-new-articles`: the first of so many new articles."""
    description = f"{len(rows)} of {of} new articles" if len(rows) < of else f"{of} new articles"
    table = [dict(row) for row in rows]
    await _send(acreate_table_artifact, table=table, key=f"{command}-new-articles", description=description)


async def link(command: str, address: str, description: str) -> None:
    """A new version of the artifact `{command}-page`."""
    await _send(acreate_link_artifact, link=address, link_text=address, key=f"{command}-page", description=description)


class Progress:
    """A progress artifact of the run, created by the first update."""

    def __init__(self) -> None:
        self._id: UUID | None = None

    async def show(self, done: int, of: int, requests: int) -> None:
        """`done` of `of` finds have ended. `of` grows while the sources are read."""
        share = min(100.0, 100.0 * done / of) if of else 0.0
        description = f"{done:,} of {of:,} finds, {requests:,} requests"
        if self._id is None:
            self._id = await _send(acreate_progress_artifact, progress=share, description=description)
        else:
            await _send(aupdate_progress_artifact, artifact_id=self._id, progress=share, description=description)


async def _send(create: Callable[..., Awaitable[T]], **what: Any) -> T | None:
    if api := PREFECT_API_URL.value():
        await until_it_answers(api)
    try:
        return await create(**what)
    except httpx.HTTPError as error:
        get_run_logger().warning("the artifact could not be sent to Prefect's server (%s); the run continues", error)
        return None
