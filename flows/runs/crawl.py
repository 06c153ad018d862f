"""One crawl as a plain function: every source of the topic, read from where the last run stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from flows.fetching.client import Client
from flows.naver.urls import article_key
from flows.pipeline.batches import BATCH, Pipeline
from flows.pipeline.stop import Stop
from flows.runs.lifecycle import Clock, OnProgress, Run, run_work, unheard, utc_now
from flows.sources.api_keys import ApiKey
from flows.sources.readers import SourceReader, queries
from flows.sources.reading import Discovered, Fetch
from flows.sources.window import next_window
from schemas.article import ArticleRef
from schemas.coverage import Span, WindowRead
from schemas.receipt import Receipt
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
    # All windows first, before anything is being stored: the archive answers one question at a time.
    windows = [
        (query, next_window(order.topic, run.archive.watermark(query.name), run.receipt.started_at, since=order.since))
        for query in queries(order.topic)
    ]
    await pipeline.add(run.archive.due(run.now(), BATCH))
    reader = SourceReader(fetch, pipeline.found, partial(take_up, run, pipeline), order.keys)
    # One source after the other: a find counts for the first source that names it.
    for query, window in windows:
        run.receipt.sources.append(run.heard(await reader.read(query, window)))


async def take_up(run: Run, pipeline: Pipeline, found: Discovered) -> None:
    """Take up what a page of a source named."""
    await pipeline.add(found.refs, page=found.page, keep=found.unparsed)
    run.on_progress(run.receipt)


def refs_of_addresses(addresses: Sequence[str], now: datetime) -> tuple[ArticleRef, ...]:
    """Finds for addresses that a person named, one for each article. Raises AddressError."""
    keys = {article_key(address): address for address in addresses}
    return tuple(ArticleRef(key=key, url=url, source="address", seen_at=now) for key, url in keys.items())


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
