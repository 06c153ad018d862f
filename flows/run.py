"""One crawl as a plain function: archive, client, sources and pipeline put together.

The command line calls it as it is, the Prefect flow wraps it: both give the same receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flows.backoff import JsonBackoffStore
from flows.client import Client
from flows.discover import (
    ApiKey,
    Discovered,
    Fetch,
    Reading,
    Window,
    readings,
    refs_of_addresses,
    window,
)
from flows.ending import ending
from flows.naver.urls import NAVER_HOSTS
from flows.pipeline import BATCH, Assess, Assessment, Pipeline
from flows.relevance import score, teams_of
from flows.stopping import Stop
from schemas.article import ArticleRef
from schemas.find import Relevance
from schemas.page import RequestRecord
from schemas.receipt import Receipt, SourceReport, run_id_at
from schemas.topic import Topic
from storage.archive import Archive, open_archive

API_HOSTS = frozenset({"openapi.naver.com", "naverapihub.apigw.ntruss.com"})
"""Asked with a key of one's own under the API's own terms: robots.txt does not speak of them."""


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


OnProgress = Callable[[Receipt], None]
Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


async def crawl(
    order: CrawlOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = lambda receipt: None,
    now: Clock = _now,
) -> Receipt:
    """Crawl, and return the receipt. Raises SeogoError where the run cannot go on at all. `now` is a seam for tests."""
    started = now()
    refs = refs_of_addresses(order.addresses, started)
    receipt = Receipt(run_id_at(started), "crawl", order.topic.name, started)
    style = order.topic.archive.front_matter
    with open_archive(order.archive, style=style, wait=order.wait) as archive:
        receipt.notes += archive.notes
        archive.start_run(receipt)
        await _Run(order, archive, receipt, stop or Stop(), on_progress, now).work(refs)
    return receipt


class _Run:
    """The parts of one crawl, while it lasts."""

    def __init__(
        self,
        order: CrawlOrder,
        archive: Archive,
        receipt: Receipt,
        stop: Stop,
        on_progress: OnProgress,
        now: Clock,
    ) -> None:
        self.order = order
        self.archive = archive
        self.receipt = receipt
        self.stop = stop
        self.on_progress = on_progress
        self.now = now
        self.requests: list[RequestRecord] = []

    async def work(self, refs: Sequence[ArticleRef]) -> None:
        """Do what is ordered, and commit the receipt whatever happens."""
        whole = False
        try:
            async with self._client() as client:
                try:
                    await self._crawl(client, refs)
                    whole = True
                finally:
                    self._note_robots(client)
        finally:
            self._finish(whole=whole)

    async def _crawl(self, client: Client, refs: Sequence[ArticleRef]) -> None:
        pipeline = Pipeline(
            fetch=client.fetch,
            archive=self.archive,
            assess=assess_by(self.order.topic),
            receipt=self.receipt,
            stop=self.stop,
            now=self.now,
            requests=self.requests,
            most_fetches=self.order.most_fetches or self.order.topic.limits.max_fetches,
            on_progress=self.on_progress,
        )
        try:
            if refs:
                await pipeline.add(refs, by_hand=True)
            else:
                await self._read_sources(client, pipeline)
            await pipeline.finish()
        finally:
            await pipeline.settle()

    async def _read_sources(self, client: Client, pipeline: Pipeline) -> None:
        await pipeline.add(self.archive.due(self.now(), BATCH))
        # The sources' own order: what one has named, the next does not name again.
        for reading in self._readings(self.stop.guard(client.fetch), pipeline):
            async for part in reading:
                if isinstance(part, SourceReport):
                    self.receipt.sources.append(part)
                else:
                    await self._take_up(part, pipeline)

    async def _take_up(self, found: Discovered, pipeline: Pipeline) -> None:
        await pipeline.add(found.refs, page=found.page)
        self.on_progress(self.receipt)

    def _readings(self, fetch: Fetch, pipeline: Pipeline) -> list[Reading]:
        def window_of(source: str) -> Window:
            return window(
                self.order.topic, self.archive.watermark(source), self.receipt.started_at, since=self.order.since
            )

        return readings(self.order.topic, window_of, fetch, pipeline.found, self.order.keys)

    def _client(self) -> Client:
        topic = self.order.topic
        return Client(
            limits=topic.limits,
            user_agent_contact=topic.contact,
            obey_robots=topic.robots == "obey",
            naver=self.order.naver or topic.naver,
            allowed_hosts=NAVER_HOSTS,
            robots_exempt_hosts=API_HOSTS,
            backoff=JsonBackoffStore(self.order.archive / "state" / "backoff.json"),
            record=self._record,
        )

    def _record(self, request: RequestRecord) -> None:
        self.requests.append(request)
        self.receipt.requests += 1
        self.receipt.bytes += request.received

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

    def _finish(self, *, whole: bool) -> None:
        """Commit the receipt. Of a run that broke off, finds may not be stored: its sources count as not read."""
        self.receipt.finished_at = self.now()
        self.receipt.exit_reason, self.receipt.explanation = ending(
            self.receipt, interrupted=self.stop.by_hand, broken=not whole
        )
        watermarks = {
            s.source: s.watermark
            for s in self.receipt.sources
            if s.watermark is not None and whole and self._reaches_back(s.source)
        }
        self.archive.finish_run(self.receipt, watermarks, self.requests)

    def _reaches_back(self, source: str) -> bool:
        """Whether what was read reaches back to where the last run had got: else the days between were not read."""
        before = self.archive.watermark(source)
        return self.order.since is None or before is None or self.order.since <= before


def assess_by(topic: Topic) -> Assess:
    """Hold a text against a topic's rules."""

    def assess(title: str, body: str) -> Assessment:
        found = score(title, body, topic.relevance, topic.teams)
        reasons = tuple(str(reason) for reason in found.reasons)
        return Assessment(Relevance(found.value, reasons, teams_of(title, body, topic.teams)), found.relevant)

    return assess
