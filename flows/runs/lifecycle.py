"""What every run that crawls is made of: archive, client, pipeline, watch and receipt, put together and, whatever
happens, ended in order.

    crawl       run.py         the sources, from where the last run stopped
    refresh     refresh.py     known articles that are due again
    backfill    backfill.py    days of the past, window by window
    reparse --quarantined      reparse_quarantined.py    pages that were held back

Each of them is work for `run_work`; the command line calls them as they are, the Prefect flows wrap them: both give the
same receipt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from flows.drift.alarm import Watch
from flows.fetching.client import Client
from flows.naver.urls import NAVER_HOSTS
from flows.pipeline.batches import Fetch, Pipeline
from flows.pipeline.judge import Assess, Assessment
from flows.pipeline.relevance import mentions, score
from flows.pipeline.stop import Stop
from flows.runs.exit_reason import ending
from flows.sources.window import SILENCE
from schemas.article import SEOUL
from schemas.coverage import WindowRead
from schemas.find import Relevance, TeamModel
from schemas.page import RequestRecord
from schemas.receipt import ExitReason, Receipt, SourceEnd, SourceReport, run_id_at
from schemas.topic import Topic
from storage.archive import FRESH, Archive, open_archive
from storage.layout import BACKOFF, BASELINE
from storage.state import baseline as baseline_store
from storage.state.backoff import JsonBackoffStore

API_HOSTS = frozenset({"openapi.naver.com", "naverapihub.apigw.ntruss.com"})
"""Asked with a key of one's own under the API's own terms: robots.txt does not speak of them."""

_GAPS_NAMED = 20
_READ = frozenset({SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY})

OnProgress = Callable[[Receipt], None]
Clock = Callable[[], datetime]


class Order(Protocol):
    """What all orders say. `naver` stands in for every Naver host; `wait`: seconds to wait for another process."""

    @property
    def topic(self) -> Topic: ...
    @property
    def archive(self) -> Path: ...
    @property
    def most_fetches(self) -> int | None: ...
    @property
    def naver(self) -> str | None: ...
    @property
    def wait(self) -> float: ...


def utc_now() -> datetime:
    """The time, unless a test says otherwise."""
    return datetime.now(UTC)


def unheard(receipt: Receipt) -> None:
    """Progress that nobody listens to."""


class Run:
    """The parts of one run, while it lasts. Its work fills `watermarks` and `coverage` last of all."""

    def __init__(
        self,
        order: Order,
        archive: Archive,
        receipt: Receipt,
        *,
        stop: Stop,
        on_progress: OnProgress,
        now: Clock,
        accept: bool,
    ) -> None:
        self.order = order
        self.archive = archive
        self.receipt = receipt
        self.stop = stop
        self.on_progress = on_progress
        self.now = now
        self.watermarks: dict[str, datetime] = {}
        self.coverage: list[WindowRead] = []
        baseline, note = baseline_store.load(order.archive / BASELINE)
        receipt.notes += [note] if note else []
        self.watch = Watch(baseline, accept=accept)
        self._requests: list[RequestRecord] = []
        self._pipeline: Pipeline | None = None

    def pipeline(self, fetch: Fetch) -> Pipeline:
        """The route of this run's finds."""
        self._pipeline = Pipeline(
            fetch=fetch,
            archive=self.archive,
            assess=assess_by(self.order.topic),
            receipt=self.receipt,
            stop=self.stop,
            now=self.now,
            requests=self._requests,
            most_fetches=self.order.most_fetches or self.order.topic.limits.max_fetches,
            held=self.watch.look,
            on_progress=self.on_progress,
        )
        return self._pipeline

    def heard(self, report: SourceReport) -> SourceReport:
        """A source's report, held against what the source used to name."""
        long = report.window is not None and report.window.until - report.window.since >= SILENCE
        why = self.watch.source(report.source, report.items, believed=long) if report.end in _READ else None
        if why is None:
            return report
        window = report.window and replace(report.window, unread=(report.window.span,), reason=why)
        return replace(report, end=SourceEnd.SILENT, reason=why, watermark=None, window=window)

    async def work(self, work: Work, end: End) -> None:
        """Do what is ordered, and commit the receipt whatever happens."""
        whole = False
        try:
            async with self._client() as client, self._readers_kept_fresh():
                try:
                    await work(self, client)
                    whole = True
                finally:
                    self._note_robots(client)
        finally:
            self._finish(end, whole=whole)

    @asynccontextmanager
    async def _readers_kept_fresh(self) -> AsyncIterator[None]:
        """Readers see what was stored, also while nothing is: a batch takes minutes at a polite pace."""
        over = asyncio.Event()
        showing = asyncio.create_task(self._show_readers(over))
        try:
            yield
        finally:
            over.set()
            await showing

    async def _show_readers(self, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), FRESH / 4)
            if self._pipeline is not None and not over.is_set():
                await self._pipeline.show_readers()

    def _client(self) -> Client:
        topic = self.order.topic
        return Client(
            limits=topic.limits,
            user_agent_contact=topic.contact,
            obey_robots=topic.robots == "obey",
            naver=self.order.naver or topic.naver,
            allowed_hosts=NAVER_HOSTS,
            robots_exempt_hosts=API_HOSTS,
            backoff=JsonBackoffStore(self.order.archive / BACKOFF),
            record=self._record,
        )

    def _record(self, request: RequestRecord) -> None:
        self._requests.append(request)
        self.receipt.requests += 1
        self.receipt.bytes += request.received
        host = self.receipt.hosts.setdefault(request.host, {"requests": 0, "bytes": 0, "seconds": 0.0, "slowest": 0.0})
        host["requests"] += 1
        host["bytes"] += request.received
        host["seconds"] += request.seconds
        host["slowest"] = max(host["slowest"], request.seconds)

    def _note_robots(self, client: Client) -> None:
        topic = self.order.topic
        self.receipt.robots = {
            "policy": topic.robots,
            "permission": topic.permission,
            "hosts": {
                host: {"status": text.status, "text": text.text[:2000], "fault": text.fault}
                for host, text in client.robots.items()
            },
        }

    def _finish(self, end: End, *, whole: bool) -> None:
        """Commit the receipt. Of a run that broke off, finds may not be stored: its windows count as not read."""
        receipt = self.receipt
        receipt.finished_at = self.now()
        silent = {report.reason for report in receipt.sources if report.end is SourceEnd.SILENT}
        receipt.drift = [alarm for alarm in self.watch.alarms if alarm not in silent]
        if not whole:
            self.watermarks, self.coverage = {}, []
        receipt.gaps += [gap for read in self.coverage for gap in gaps_of(read)]
        receipt.gaps = receipt.gaps[:_GAPS_NAMED]
        receipt.exit_reason, receipt.explanation = end(receipt, interrupted=self.stop.by_hand, broken=not whole)
        files = {
            row["id"]: row["file"] for row in self.archive.article_rows([str(one["id"]) for one in receipt.newest])
        }
        receipt.newest = [{**one, "file": files.get(str(one["id"]))} for one in receipt.newest]
        self.archive.finish_run(receipt, self.watermarks, self._requests, self.coverage)
        if whole:
            baseline_store.save(self.order.archive / BASELINE, self.watch.learned())


Work = Callable[[Run, Client], Awaitable[None]]


class End(Protocol):
    """From a receipt to the reason why the run ended, and a sentence."""

    def __call__(self, receipt: Receipt, *, interrupted: bool, broken: bool = False) -> tuple[ExitReason, str]: ...


async def run_work(
    order: Order,
    command: str,
    work: Work,
    *,
    stop: Stop | None,
    on_progress: OnProgress,
    now: Clock,
    end: End = ending,
    accept: bool = False,
) -> Receipt:
    """Do a piece of work as a run of its own. Raises SeogoError where it cannot go on at all.

    `accept`: pages are taken as they look now, whatever they looked like before.
    """
    started = now()
    receipt = Receipt(run_id_at(started), command, order.topic.name, started)
    style = order.topic.archive.front_matter
    with open_archive(order.archive, style=style, wait=order.wait) as archive:
        receipt.notes += archive.notes
        archive.start_run(receipt)
        run = Run(order, archive, receipt, stop=stop or Stop(), on_progress=on_progress, now=now, accept=accept)
        await run.work(work, end)
    return receipt


def gaps_of(read: WindowRead) -> list[str]:
    """What of a window was not read, in words."""
    return [
        f"{read.source}: {minute(part.since)} to {minute(part.until)} was not read: {read.reason}"
        for part in read.unread
    ]


def minute(moment: datetime) -> str:
    """A moment as people in Korea read it."""
    return f"{moment.astimezone(SEOUL):%Y-%m-%d %H:%M}"


def assess_by(topic: Topic) -> Assess:
    """Hold a text against a topic's rules."""

    def assess(title: str, body: str) -> Assessment:
        found = score(title, body, topic.relevance, topic.teams)
        reasons = tuple(str(reason) for reason in found.reasons)
        named = mentions(title, body, topic.teams)
        models = tuple(TeamModel(one.team, model) for one in named for model in one.models)
        return Assessment(Relevance(found.value, reasons, tuple(one.team for one in named), models), found.relevant)

    return assess
