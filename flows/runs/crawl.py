"""One crawl as a plain function: every source of the topic, read from where the last run stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flows.fetching.client import Client
from flows.naver.urls import article_key
from flows.pipeline.batches import BATCH, Pipeline
from flows.pipeline.stop import Stop
from flows.runs.lifecycle import Clock, OnProgress, Run, run_work, unheard, utc_now
from flows.sources.discover import ApiKey, Discovered, Fetch, Reading, refs_of_addresses
from flows.sources.readers import readings
from flows.sources.window import Window, window
from schemas.coverage import Span, WindowRead
from schemas.receipt import Receipt, SourceReport
from schemas.topic import Topic


@dataclass(frozen=True, slots=True)
class CrawlOrder:
    """What a crawl is asked to do.

    With `addresses`, these and nothing else are crawled. `since` reads the sources anew from then on; without it, each
    is read from where the last run stopped. `naver` stands in for every Naver host. `wait`: seconds to wait for
    another process to leave the archive.
    """

    topic: Topic
    archive: Path
    addresses: tuple[str, ...] = ()
    since: datetime | None = None
    most_fetches: int | None = None
    naver: str | None = None
    wait: float = 0.0
    keys: Mapping[str, ApiKey] = field(default_factory=dict)


async def crawl(
    order: CrawlOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = unheard,
    now: Clock = utc_now,
) -> Receipt:
    """Crawl, and return the receipt. Raises SeogoError where the run cannot go on at all. `now` is a seam for tests."""
    began = now()
    for address in order.addresses:
        article_key(address)  # a wrong one ends it before anything has begun

    async def work(run: Run, client: Client) -> None:
        pipeline = run.pipeline(client.fetch)
        try:
            # In parts: a hundred thousand finds at once are memory that the run wants for other things.
            for at in range(0, len(order.addresses), BATCH):
                refs = refs_of_addresses(order.addresses[at : at + BATCH], began)
                await pipeline.add(refs, by_hand=True)
            if not order.addresses:
                await _read_sources(run, order, run.stop.guard(client.fetch), pipeline)
            await pipeline.finish()
        finally:
            await pipeline.settle()
        _settle_windows(run, order, pipeline)

    return await run_work(order, "crawl", work, stop=stop, on_progress=on_progress, now=now)


async def _read_sources(run: Run, order: CrawlOrder, fetch: Fetch, pipeline: Pipeline) -> None:
    await pipeline.add(run.archive.due(run.now(), BATCH))
    # The sources' own order: what one has named, the next does not name again.
    for reading in _readings(run, order, fetch, pipeline):
        async for part in reading:
            if isinstance(part, SourceReport):
                run.receipt.sources.append(run.heard(part))
            else:
                await take_up(part, pipeline, run)


async def take_up(found: Discovered, pipeline: Pipeline, run: Run) -> None:
    """Take up what a page of a source named."""
    await pipeline.add(found.refs, page=found.page, keep=found.unknown_form)
    run.on_progress(run.receipt)


def _readings(run: Run, order: CrawlOrder, fetch: Fetch, pipeline: Pipeline) -> list[Reading]:
    def window_of(source: str) -> Window:
        return window(order.topic, run.archive.watermark(source), run.receipt.started_at, since=order.since)

    return readings(order.topic, window_of, fetch, pipeline.found, order.keys)


def _settle_windows(run: Run, order: CrawlOrder, pipeline: Pipeline) -> None:
    """How far each source has been read, and what of its window has not."""
    for report in run.receipt.sources:
        run.coverage += [report.window] if report.window else []
        before = run.archive.watermark(report.source)
        if order.since is not None and before is not None and before < order.since:
            # Between is what nobody has read: the cursor stays, and the next crawl reads it.
            reason = "a crawl --since a later time left it out"
            run.coverage.append(WindowRead(report.source, before, order.since, (Span(before, order.since),), reason))
        elif report.watermark is not None and report.source not in pipeline.held_sources:
            run.watermarks[report.source] = report.watermark
