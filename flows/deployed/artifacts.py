"""A run's artifacts in Prefect. That the server is away for a while is no reason to end a run: it is logged."""

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

T = TypeVar("T")


async def markdown(command: str, text: str, description: str) -> None:
    """The account of a run, as the newest version of the artifact `{command}-account`."""
    await _sent(acreate_markdown_artifact, markdown=text, key=f"{command}-account", description=description)


async def table(command: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """The new articles of a run, as the newest version of the artifact `{command}-new-articles`."""
    description = f"articles that this run stored as new: {len(rows)} of them, fifty at most"
    await _sent(
        acreate_table_artifact,
        table=[dict(row) for row in rows],
        key=f"{command}-new-articles",
        description=description,
    )


async def link(command: str, address: str, description: str) -> None:
    """A page of a run, as the newest version of the artifact `{command}-page`."""
    await _sent(acreate_link_artifact, link=address, link_text=address, key=f"{command}-page", description=description)


class Progress:
    """A progress artifact of the run, made when there is something to show."""

    def __init__(self) -> None:
        self._id: UUID | None = None

    async def show(self, done: int, of: int, requests: int) -> None:
        """`done` of `of` finds have ended; `of` grows while sources are read."""
        share = min(100.0, 100.0 * done / of) if of else 0.0
        told = f"{done:,} of {of:,} finds, {requests:,} requests"
        if self._id is None:
            self._id = await _sent(acreate_progress_artifact, progress=share, description=told)
        else:
            await _sent(aupdate_progress_artifact, artifact_id=self._id, progress=share, description=told)


async def _sent(send: Callable[..., Awaitable[T]], **what: Any) -> T | None:
    try:
        return await send(**what)
    except httpx.HTTPError as error:
        get_run_logger().warning("Prefect's server did not take an artifact (%s): the run goes on", error)
        return None
