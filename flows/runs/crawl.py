"""A crawl: every source of the topic, read from where the last run stopped. The way of an article begins here:

readers.py    a source names articles: finds (flows/sources)
batches.py    finds in batches; what the archive knows of them (flows/pipeline)
visit.py      fetch, capture, parse
judge.py      drift, relevance, duplicates: the outcome
archive.py    rows, files, journal (storage)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flows.fetching.client import Client
from flows.naver.urls import article_key
from flows.pipeline.batches import BATCH, Pipeline
from flows.pipeline.stop import Stop
from flows.runs.exit_reason import exit_reason_of
from flows.runs.lifecycle import Now, OnProgress, ignore_progress, utc_now
from flows.runs.pipeline_run import PipelineOrder, PipelineRun, run_pipeline
from flows.sources.api_keys import ApiKey
from flows.sources.readers import SourceQuery, queries
from flows.sources.window import Window, next_window
from schemas.article import ArticleRef, Outcome
from schemas.counted import counted
from schemas.coverage import Span, WindowRead
from schemas.receipt import ExitReason, Receipt, run_id_at

if TYPE_CHECKING:
    from storage.inbox.inbox import Inbox

_CHUNKS_KEPT = timedelta(days=2)
"""Longer than a chunk is of use: its finds are handed out again much earlier."""


@dataclass(frozen=True, slots=True)
class CrawlOrder(PipelineOrder):
    """What to crawl: the topic's sources, or only `addresses` where there are any.

    `since`: read the sources from this time on, not from where the last run stopped. `keys`: of the Search API, by
    endpoint. `hand_out`: the store in which the finds are handed out to fetchers, instead of being fetched.
    """

    addresses: tuple[str, ...] = ()
    since: datetime | None = None
    keys: Mapping[str, ApiKey] = field(default_factory=dict)
    hand_out: Inbox | None = None


async def crawl(
    order: CrawlOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = ignore_progress,
    now: Now = utc_now,
) -> Receipt:
    """Crawl, and return the receipt. Raises AddressError, and other SeogoErrors where the run cannot continue.

    `now` is set by tests.
    """
    for address in order.addresses:
        article_key(address)  # before anything is opened or made

    async def work(run: PipelineRun, client: Client) -> None:
        _note_changed_topic(run)
        if order.hand_out is not None:
            await _hand_out(order, order.hand_out, run, client)
            return
        async with run.pipeline(client.fetch) as pipeline:
            await _discover(order, run, client, pipeline)
        _record_windows(order, run, pipeline)

    return await run_pipeline(
        order, "crawl", work, stop=stop, on_progress=on_progress, now=now, exit_reason=_exit_reason
    )


def _exit_reason(receipt: Receipt, *, interrupted: bool, broken: bool) -> tuple[ExitReason, str]:
    reason, explanation = exit_reason_of(receipt, interrupted=interrupted, broken=broken)
    if reason is ExitReason.NOTHING_NEW and receipt.handed_out:
        finds, chunks = counted(receipt.outcomes[Outcome.DEFERRED], "find"), counted(len(receipt.handed_out), "chunk")
        return ExitReason.DONE, f"{finds} handed out to fetchers, in {chunks}"
    return reason, explanation


async def _hand_out(order: CrawlOrder, inbox: Inbox, run: PipelineRun, client: Client) -> None:
    """Discover, and hand the finds out to fetchers."""
    from flows.pipeline.hand_out import HandOut
    from storage.inbox.chunks import delete_chunks_before, put_chunk

    inbox.claim(run.archive.first_run())
    delete_chunks_before(inbox.store, run_id_at(run.now() - _CHUNKS_KEPT))

    async def put(refs: Sequence[ArticleRef]) -> str:
        name = await asyncio.to_thread(put_chunk, inbox.store, refs, prefix=run.receipt.run_id)
        run.receipt.handed_out.append(name)
        return name

    handing = HandOut(put, run.now)
    async with run.piped(handing) as pipeline:
        await _discover(order, run, client, pipeline)
        await pipeline.finish()
        await handing.flush()
    _record_windows(order, run, pipeline)


async def _discover(order: CrawlOrder, run: PipelineRun, client: Client, pipeline: Pipeline) -> None:
    if order.addresses:
        await _add_addresses(order.addresses, run, pipeline)
    else:
        await _read_sources(order, run, client, pipeline)


def _note_changed_topic(run: PipelineRun) -> None:
    receipt = run.receipt
    earlier = run.archive.topic_before(receipt.run_id)
    if earlier not in (None, receipt.topic):
        receipt.notes.append(
            f"the run before this one was of the topic {earlier}, and this one is of {receipt.topic}: each topic should"
            " have an archive of its own"
        )
    if run.archive.assessed_by(but=receipt.run_id) - {receipt.topic_version}:
        receipt.notes.append("the topic file has changed since texts of the archive were assessed. Run: seogo reassess")


async def _add_addresses(addresses: Sequence[str], run: PipelineRun, pipeline: Pipeline) -> None:
    for at in range(0, len(addresses), BATCH):  # in batches, since there may be a hundred thousand of them
        await pipeline.add(refs_of_addresses(addresses[at : at + BATCH], run.receipt.started_at), force=True)


def refs_of_addresses(addresses: Sequence[str], now: datetime) -> tuple[ArticleRef, ...]:
    """Finds for addresses that a person named, one for each article. Raises AddressError."""
    keys = {article_key(address): address for address in addresses}
    return tuple(ArticleRef(key=key, url=url, source="address", seen_at=now) for key, url in keys.items())


async def _read_sources(order: CrawlOrder, run: PipelineRun, client: Client, pipeline: Pipeline) -> None:
    reader = run.source_reader(client, pipeline, order.keys)
    # All windows first, while nothing is being stored: the archive answers one question at a time.
    windows = _windows(order, run)
    await pipeline.add(run.archive.due(run.now(), BATCH))
    for query, window in windows:  # one after the other: an article belongs to the first source that names it
        report = await reader.read(query, window)
        run.receipt.sources.append(run.check_silence(report))


def _windows(order: CrawlOrder, run: PipelineRun) -> list[tuple[SourceQuery, Window]]:
    watermarks, begins = run.archive.watermarks(), run.archive.covered_since()
    now, since = run.receipt.started_at, order.since
    return [
        (query, next_window(order.topic, watermarks.get(query.name), now, since=since, begin=begins.get(query.name)))
        for query in queries(order.topic)
    ]


def _record_windows(order: CrawlOrder, run: PipelineRun, pipeline: Pipeline) -> None:
    """Record how far each source has been read, and which parts of its window have not."""
    watermarks = run.archive.watermarks() if order.since is not None else {}
    for report in run.receipt.sources:
        run.coverage += [report.window] if report.window else []
        before = watermarks.get(report.source)
        if order.since is not None and before is not None and before < order.since:
            # The time in between has not been read: the cursor stays there for the next crawl.
            reason = "a crawl --since a later time left it out"
            run.coverage.append(WindowRead(report.source, before, order.since, (Span(before, order.since),), reason))
        elif report.watermark is not None and report.source not in pipeline.quarantined_sources:
            run.watermarks[report.source] = report.watermark
