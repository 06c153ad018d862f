"""The Prefect flow `crawl`: the plain function of `flows.run`, on a schedule.

Thin on purpose. What a crawl does is tested without an engine; here are only the parameters that a deployment shows
as a form, where the keys come from, and what a receipt means as a state.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from prefect import flow, get_run_logger, task
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict, Field, field_validator

from flows.discover import KEY_VARIABLES, ApiKey
from flows.inputs import naver_from, topic_from
from flows.keys import keys_from
from flows.run import CrawlOrder
from flows.run import crawl as crawl_plainly
from schemas.article import SEOUL
from schemas.receipt import ExitReason

FAILURES = frozenset({ExitReason.LAYOUT_CHANGED, ExitReason.BLOCKED, ExitReason.NOTHING_DISCOVERED})
"""Endings in which the run did not do its job: its state is Failed, with the reason."""


class CrawlParameters(BaseModel):
    """What a deployment can set. Keys are not among them: they come from Secret blocks or the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    archive: str = Field(default="archive", description="The archive directory.")
    topic: str | None = Field(default=None, description="The topic file; empty: SEOGO_TOPIC, or the one that ships.")
    since: datetime | None = Field(default=None, description="Read the sources anew from this (Korean) time on.")
    limit: int | None = Field(default=None, ge=1, description="Fetch at most this many articles.")
    wait_seconds: float = Field(default=60.0, ge=0, description="Wait this long for another process to leave.")

    @field_validator("since")
    @classmethod
    def _in_korea(cls, since: datetime | None) -> datetime | None:
        """A time without a zone is Korean time, as on the command line."""
        return since.replace(tzinfo=SEOUL) if since and since.tzinfo is None else since


DEFAULTS = CrawlParameters()
"""Never None: Prefect makes the run's name of it before the flow begins."""


@flow(name="crawl", flow_run_name="crawl into {parameters.archive}", log_prints=False)
async def crawl(parameters: CrawlParameters = DEFAULTS) -> State[dict[str, Any]]:
    """Find new articles, fetch them, and archive what is on topic."""
    receipt = await crawl_once(parameters)
    reason, explanation = ExitReason(receipt["exit_reason"]), receipt["explanation"]
    message = f"{reason}: {explanation}"
    if reason in FAILURES:
        return Failed(message=message, data=receipt)
    return Completed(message=message, data=receipt)


@task(name="crawl the sources", cache_policy=NO_CACHE)
async def crawl_once(parameters: CrawlParameters) -> dict[str, Any]:
    """One crawl, as one task: an article is no task of its own (the server digests some 15 task runs a second)."""
    logger = get_run_logger()
    topic_file = parameters.topic or os.environ.get("SEOGO_TOPIC")
    order = CrawlOrder(
        topic=topic_from(Path(topic_file) if topic_file else None),
        archive=Path(parameters.archive),
        since=parameters.since,
        most_fetches=parameters.limit,
        naver=naver_from(os.environ),
        wait=parameters.wait_seconds,
        keys={**await _keys_from_blocks(), **keys_from(os.environ)},
    )
    receipt = await crawl_plainly(order)
    counts = ", ".join(f"{outcome} {number}" for outcome, number in receipt.outcomes.items() if number)
    logger.info("%s finds (%s): %s", receipt.finds, counts or "none", receipt.exit_reason)
    for source in receipt.sources:
        logger.info("%s: %s items on %s pages; %s", source.source, source.items, source.pages, source.reason)
    return receipt.as_json()


async def _keys_from_blocks() -> dict[str, ApiKey]:
    """Keys from Prefect Secret blocks, named like the environment variables: `naver-apihub-key-id` and so on."""
    keys = {}
    for endpoint, names in KEY_VARIABLES.items():
        parts = [await _secret(name.lower().replace("_", "-")) for name in names]
        if all(parts):
            keys[str(endpoint)] = ApiKey(*[str(part) for part in parts])
    return keys


async def _secret(name: str) -> str | None:
    try:
        block = cast("Secret[str]", await Secret.aload(name))
    except ValueError:
        return None  # Prefect's word for "there is no block of this name"
    return str(block.get())
