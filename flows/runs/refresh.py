"""Known articles looked at again, to see edits and deletions: only those that are due (flows/refreshing.py)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.fetching.client import Client
from flows.pipeline.batches import BATCH, Pipeline
from flows.pipeline.stop import Stop
from flows.runs.exit_reason import ending
from flows.runs.lifecycle import Clock, OnProgress, Run, run_work, unheard, utc_now
from schemas.article import ArticleKey
from schemas.receipt import ExitReason, Receipt
from schemas.topic import Topic


@dataclass(frozen=True, slots=True)
class RefreshOrder:
    """What a refresh is asked to do: look at what is due, at most `most_fetches` articles of it.

    `naver` stands in for every Naver host. `wait`: seconds to wait for another process to leave the archive.
    """

    topic: Topic
    archive: Path
    most_fetches: int | None = None
    naver: str | None = None
    wait: float = 0.0


async def refresh(
    order: RefreshOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = unheard,
    now: Clock = utc_now,
) -> Receipt:
    """Look at every article that is due, and return the receipt. Raises SeogoError where it cannot go on at all."""

    async def work(run: Run, client: Client) -> None:
        pipeline = run.pipeline(client.fetch)
        try:
            await _look_again(run, pipeline)
        finally:
            await pipeline.settle()

    return await run_work(order, "refresh", work, stop=stop, on_progress=on_progress, now=now, end=_ending)


async def _look_again(run: Run, pipeline: Pipeline) -> None:
    """Batch by batch: what was looked at is stored, and due later, before the next are chosen."""
    met: set[ArticleKey] = set()
    most = run.order.most_fetches or run.order.topic.limits.max_fetches
    while not run.stop.asked:
        room = BATCH if most is None else min(most - len(met), BATCH)
        refs = [ref for ref in run.archive.to_refresh(run.now(), room) if ref.key not in met] if room > 0 else []
        if not refs:
            break
        met.update(ref.key for ref in refs)
        await pipeline.add(refs, by_hand=True)
        await pipeline.finish()
        run.on_progress(run.receipt)


def _ending(receipt: Receipt, *, interrupted: bool, broken: bool = False) -> tuple[ExitReason, str]:
    """As for any run; but that nothing is due is no failure."""
    if receipt.finds or interrupted or broken:
        return ending(receipt, interrupted=interrupted, broken=broken)
    return ExitReason.NOTHING_NEW, "no article is due to be looked at again"
