"""Pages in quarantine, parsed again from their captures, without a request: for when the parser has been corrected.

A page that still drifts from how such pages used to look stays in quarantine, unless it is accepted as it looks now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from flows.fetching.client import Client
from flows.naver.urls import json_api_url
from flows.pipeline.batches import BATCH
from flows.pipeline.stop import Stop
from flows.pipeline.visit import Fetch
from flows.runs.exit_reason import exit_reason_of
from flows.runs.lifecycle import Now, OnProgress, ignore_progress, utc_now
from flows.runs.pipeline_run import PipelineOrder, PipelineRun, run_pipeline
from schemas.article import ArticleRef
from schemas.errors import ArchiveDamaged
from schemas.page import CaptureRef, Fault, FetchFault, RawPage
from schemas.receipt import Receipt
from storage.archive import Archive


@dataclass(frozen=True, slots=True)
class QuarantineOrder(PipelineOrder):
    """To parse the pages in quarantine again; nothing is fetched. `accept`: they are right as they look now."""

    accept: bool = False


async def reparse_quarantined(
    order: QuarantineOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = ignore_progress,
    now: Now = utc_now,
) -> Receipt:
    """Parse every page in quarantine again, and return the receipt. Raises SeogoError."""

    async def work(run: PipelineRun, client: Client) -> None:
        quarantined = run.archive.quarantined(run.receipt.started_at)
        for at in range(0, len(quarantined), BATCH):
            await _parse_again(run, quarantined[at : at + BATCH])

    return await run_pipeline(
        order,
        "reparse",
        work,
        stop=stop,
        on_progress=on_progress,
        now=now,
        exit_reason=partial(exit_reason_of, idle="nothing is in quarantine"),
        accept=order.accept,
    )


async def _parse_again(run: PipelineRun, quarantined: Sequence[tuple[ArticleRef, CaptureRef]]) -> None:
    async with run.pipeline(_fetch_captured(run.archive, quarantined)) as pipeline:
        await pipeline.add([ref for ref, _ in quarantined], force=True)
    run.on_progress(run.receipt)


def _fetch_captured(archive: Archive, quarantined: Sequence[tuple[ArticleRef, CaptureRef]]) -> Fetch:
    """A fetch that returns the captured pages, whichever of its addresses an article is fetched from."""
    captures: dict[str, CaptureRef] = {}
    for ref, capture in quarantined:
        addresses = (ref.key.url, json_api_url(ref.key, "sports"), json_api_url(ref.key, "entertain"))
        captures |= dict.fromkeys(addresses, capture)

    async def fetch(url: str, *, why: str, headers: Mapping[str, str] | None = None) -> RawPage | FetchFault:
        try:
            return archive.read_page(captures[url])
        except ArchiveDamaged as error:
            return FetchFault(url, Fault.BAD_ANSWER, str(error))

    return fetch
