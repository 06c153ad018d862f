"""What the runs share whose finds go through the pipeline: HTTP client, drift alarm, pipeline, and a fresh snapshot.

Crawl, refresh, backfill and quarantine each give their own work to `run_pipeline`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flows.drift.alarm import DriftAlarm
from flows.fetching.client import Client
from flows.naver.hit_traits import hit_traits
from flows.pipeline.batches import Pipeline, Visits
from flows.pipeline.judge import Judge, assess_by
from flows.pipeline.stop import Stop
from flows.pipeline.visit import Fetch, Visitor
from flows.runs.exit_reason import exit_reason_of
from flows.runs.lifecycle import ExitReasonOf, Now, OnProgress, Order, Run, open_for_run
from flows.runs.polite_client import polite_client
from flows.sources.api_keys import ApiKey
from flows.sources.readers import SourceReader
from flows.sources.reading import Discovered
from flows.sources.window import SILENCE
from schemas.page import RequestRecord
from schemas.receipt import Receipt, SourceEnd, SourceReport
from storage.database.publisher import PUBLISH_EVERY
from storage.layout import BACKOFF, BASELINE
from storage.state.baseline import load_baseline, save_baseline

API_HOSTS = frozenset({"openapi.naver.com", "naverapihub.apigw.ntruss.com"})
"""Requested with a key of one's own, under the API's own terms: their robots.txt does not apply."""

_READ_THROUGH = frozenset({SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY})
_ROBOTS_TEXT = 2000


@dataclass(frozen=True, slots=True)
class PipelineOrder(Order):
    """`most_fetches`: articles to fetch at most. `naver`: the address of a stand-in for all of Naver's hosts."""

    most_fetches: int | None = field(default=None, kw_only=True)
    naver: str | None = field(default=None, kw_only=True)


@dataclass(slots=True, kw_only=True)
class PipelineRun(Run):
    """A run whose finds go through the pipeline. `accept`: pages are right as they look now."""

    order: PipelineOrder
    stop: Stop
    drift_alarm: DriftAlarm
    accept: bool = False
    _pipeline: Pipeline | None = field(default=None, init=False)

    @property
    def most_fetches(self) -> int | None:
        """How many articles may be fetched, by the order or else by the topic; None: all."""
        return self.order.most_fetches or self.order.topic.limits.max_fetches

    def pipeline(self, fetch: Fetch) -> Pipeline:
        """The pipeline for the finds of this run, which fetches their articles with `fetch`."""
        guarded = self.stop.guard(fetch)
        return self.piped(self._visitor(guarded, stop=self.stop, fetches_left=self.most_fetches))

    def replay(self, fetch: Fetch) -> Pipeline:
        """The pipeline for finds whose answers were fetched earlier. All are taken: it does not stop within a batch."""
        return self.piped(self._visitor(fetch, stop=Stop(), recorded=True))

    def _visitor(self, fetch: Fetch, **given: Any) -> Visitor:
        assess = assess_by(self.order.topic)
        return Visitor(fetch, captures=self.archive, assess=assess, receipt=self.receipt, now=self.now, **given)

    def piped(self, visitor: Visits) -> Pipeline:
        """The pipeline for the finds of this run, which are visited by `visitor`."""
        assess = assess_by(self.order.topic)
        self._pipeline = Pipeline(
            visitor=visitor,
            judge=Judge(self.archive, assess, self.drift_alarm.check, self.receipt.started_at, accept=self.accept),
            archive=self.archive,
            receipt=self.receipt,
            requests=self.requests,
            on_progress=self.on_progress,
        )
        return self._pipeline

    def source_reader(self, client: Client, pipeline: Pipeline, keys: Mapping[str, ApiKey]) -> SourceReader:
        """A reader of sources whose finds go into the pipeline, page by page."""
        fetch = self.stop.guard(client.fetch)
        return SourceReader(fetch, pipeline.first_found, partial(self._take_up, pipeline), self._check_hits, keys)

    async def _take_up(self, pipeline: Pipeline, found: Discovered) -> None:
        await pipeline.add(found.refs, page=found.page, keep=found.unparsed)
        self.on_progress(self.receipt)

    def _check_hits(self, found: Discovered) -> str:
        """Why the finds of a search page or a list do not look as such finds always did; empty where they do."""
        if found.layout is None:
            return ""
        odd = self.drift_alarm.check([(ref.key.id, hit_traits(ref, found.layout)) for ref in found.refs])
        return f"of {len(found.refs)} hits of a page, {len(odd)} are in doubt" if odd else ""

    def check_silence(self, report: SourceReport) -> SourceReport:
        """The report of a source; changed to SILENT where it names nothing although it always named something."""
        if report.end not in _READ_THROUGH:
            return report
        believed = report.window is not None and report.window.until - report.window.since >= SILENCE
        why = self.drift_alarm.source(report.source, report.items, believed=believed)
        if why is None:
            return report
        window = report.window and replace(report.window, unread=(report.window.span,), reason=why)
        return replace(report, end=SourceEnd.SILENT, reason=why, watermark=None, window=window)

    async def do(self, work: Work) -> None:
        """Do the work with a client, and complete the receipt, also after an error."""
        try:
            async with self._client() as client, self._snapshot_kept_fresh():
                try:
                    await work(self, client)
                finally:
                    self._add_robots(client)
                    self.receipt.offline = client.offline
        finally:
            self._complete_receipt()

    def _client(self) -> AbstractAsyncContextManager[Client]:
        return polite_client(
            self.order.topic,
            naver=self.order.naver,
            pauses=self.order.archive / BACKOFF,
            record=self.record,
            robots_exempt_hosts=API_HOSTS,
        )

    def record(self, request: RequestRecord) -> None:
        """Record a request for the archive's ledger, and count it."""
        self.requests.append(request)
        self.receipt.requests += 1
        self.receipt.bytes += request.received
        host = self.receipt.hosts.setdefault(request.host, {"requests": 0, "bytes": 0, "seconds": 0.0, "slowest": 0.0})
        host["requests"] += 1
        host["bytes"] += request.received
        host["seconds"] += request.seconds
        host["slowest"] = max(host["slowest"], request.seconds)

    @asynccontextmanager
    async def _snapshot_kept_fresh(self) -> AsyncIterator[None]:
        """Readers see what was stored, also between batches: at a polite pace, a batch takes minutes."""
        over = asyncio.Event()
        refreshing = asyncio.create_task(self._refresh_snapshot(over))
        try:
            yield
        finally:
            over.set()
            await refreshing

    async def _refresh_snapshot(self, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), PUBLISH_EVERY / 4)
            if self._pipeline is not None and not over.is_set():
                await self._pipeline.refresh_snapshot()

    def _add_robots(self, client: Client) -> None:
        topic = self.order.topic
        self.receipt.robots = {
            "policy": topic.robots,
            "permission": topic.permission,
            "hosts": {
                host: {"status": text.status, "text": text.text[:_ROBOTS_TEXT], "fault": text.fault}
                for host, text in client.robots.items()
            },
        }

    def _complete_receipt(self) -> None:
        receipt = self.receipt
        self.interrupted = self.stop.by_hand
        silent = {report.reason for report in receipt.sources if report.end is SourceEnd.SILENT}
        receipt.drift = [alarm for alarm in self.drift_alarm.alarms if alarm not in silent]
        rows = self.archive.article_rows([str(article["id"]) for article in receipt.newest])
        files = {row["id"]: row["file"] for row in rows}
        receipt.newest = [{**article, "file": files.get(str(article["id"]))} for article in receipt.newest]


Work = Callable[[PipelineRun, Client], Awaitable[None]]


async def run_pipeline(
    order: PipelineOrder,
    command: str,
    work: Work,
    *,
    stop: Stop | None,
    on_progress: OnProgress,
    now: Now,
    exit_reason: ExitReasonOf = exit_reason_of,
    accept: bool = False,
) -> Receipt:
    """Do the work of a command as one run, and return its receipt. Raises SeogoError where it cannot continue.

    `accept`: pages are taken as they look now, whatever they looked like before.
    """
    with open_for_run(order, command, now()) as (archive, receipt):
        baseline, note = load_baseline(order.archive / BASELINE)
        receipt.notes += [note] if note else []
        alarm = DriftAlarm(baseline, accept=accept)
        run = PipelineRun(
            archive, receipt, on_progress, now, order=order, stop=stop or Stop(), drift_alarm=alarm, accept=accept
        )
        with run.recorded(exit_reason):
            await run.do(work)
        save_baseline(order.archive / BASELINE, alarm.learned())
    return receipt
