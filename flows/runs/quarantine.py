"""Pages that were held back, once more on their way into the archive: from their captures, without a request.

For when the parser was mended. A page that still does not look as it should stays in quarantine, unless it is accepted
as it looks now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.fetching.client import Client
from flows.naver.urls import json_api_url
from flows.pipeline.batches import BATCH, Fetch
from flows.pipeline.stop import Stop
from flows.runs.exit_reason import ending
from flows.runs.lifecycle import Clock, OnProgress, Run, run_work, unheard, utc_now
from schemas.article import ArticleRef
from schemas.errors import ArchiveDamaged
from schemas.page import CaptureRef, Fault, FetchFault, RawPage
from schemas.receipt import ExitReason, Receipt
from schemas.topic import Topic
from storage.archive import Archive


@dataclass(frozen=True, slots=True)
class QuarantineOrder:
    """What is asked: to read what is in quarantine again; with `accept`, to take its looks for the right ones.

    `wait`: seconds to wait for another process to leave the archive. Nothing is fetched.
    """

    topic: Topic
    archive: Path
    accept: bool = False
    wait: float = 0.0
    most_fetches: None = None
    naver: None = None


async def reparse_quarantined(
    order: QuarantineOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = unheard,
    now: Clock = utc_now,
) -> Receipt:
    """Read every page in quarantine again, and return the receipt. Raises SeogoError."""

    async def work(run: Run, client: Client) -> None:
        held = run.archive.quarantined(run.receipt.started_at)
        for at in range(0, len(held), BATCH):
            await _release(run, held[at : at + BATCH])

    return await run_work(
        order, "reparse", work, stop=stop, on_progress=on_progress, now=now, end=_ending, accept=order.accept
    )


async def _release(run: Run, held: Sequence[tuple[ArticleRef, CaptureRef]]) -> None:
    pipeline = run.pipeline(_captured(run.archive, held))
    try:
        await pipeline.add([ref for ref, _ in held], by_hand=True)
        await pipeline.finish()
    finally:
        await pipeline.settle()
    run.on_progress(run.receipt)


def _captured(archive: Archive, held: Sequence[tuple[ArticleRef, CaptureRef]]) -> Fetch:
    """A fetch that gives the captured pages: at whichever of its addresses an article is asked for."""
    captures: dict[str, CaptureRef] = {}
    for ref, capture in held:
        addresses = (ref.key.url, json_api_url(ref.key, "sports"), json_api_url(ref.key, "entertain"))
        captures |= dict.fromkeys(addresses, capture)

    async def fetch(url: str, *, why: str, headers: Mapping[str, str] | None = None) -> RawPage | FetchFault:
        try:
            return archive.read_page(captures[url])
        except ArchiveDamaged as error:
            return FetchFault(url, Fault.BAD_ANSWER, str(error))

    return fetch


def _ending(receipt: Receipt, *, interrupted: bool, broken: bool = False) -> tuple[ExitReason, str]:
    """As for any run; but an empty quarantine is no failure."""
    if receipt.finds or interrupted or broken:
        return ending(receipt, interrupted=interrupted, broken=broken)
    return ExitReason.NOTHING_NEW, "nothing is in quarantine"
