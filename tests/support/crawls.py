"""Whole crawls of the stand-in that nothing is wrong with, in the orders in which sources are read in practice."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from flows.replica.corpus import Layout, make_corpus
from flows.replica.faults import Behaviour
from flows.replica.search_answers import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica
from flows.runs.backfill import BackfillOrder, backfill
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.refresh import RefreshOrder, refresh
from flows.sources.api_keys import ApiKey
from schemas.receipt import Receipt
from schemas.topic import Topic, load_topic
from tests.support.paths import DEMO_TOPIC

KEYS = {"openapi": ApiKey(CLIENT_ID, CLIENT_SECRET)}
DEMO = load_topic(DEMO_TOPIC)
SEARCH = ({"type": "search_api", "endpoint": "openapi"}, {"type": "search_page"})


def section(*sids: str) -> dict[str, Any]:
    return {"type": "section_list", "sids": list(sids)}


def topic(*sources: dict[str, Any]) -> Topic:
    """The demo's topic with these sources, or with its own."""
    values = DEMO.model_dump(mode="json", exclude={"sources"} if sources else set())
    return Topic.model_validate({**values, **({"sources": list(sources)} if sources else {})})


class Crawler:
    """Runs into one archive, each by the stand-in's clock. `rang`: all alarms; `read`: pages that were read."""

    def __init__(self, naver: Replica, root: Path) -> None:
        self.naver, self.root = naver, root
        self.rang: list[str] = []
        self.read = 0

    def crawl(self, *sources: dict[str, Any], days: float | None = None) -> None:
        """Read these sources (the demo's without any), the last `days` anew or on from where they were read to."""
        since = None if days is None else self.naver.clock.now - timedelta(days=days)
        order = CrawlOrder(topic(*sources), self.root, naver=self.naver.url, keys=KEYS, since=since)
        self._ran(asyncio.run(crawl(order, now=self._now)))

    def refresh(self) -> None:
        self._ran(asyncio.run(refresh(RefreshOrder(topic(), self.root, naver=self.naver.url), now=self._now)))

    def backfill(self, first: int, last: int, *sources: dict[str, Any]) -> None:
        """Read the days from `first` to `last` days ago."""
        days = [(self._now() - timedelta(days=ago)).date() for ago in (first, last)]
        order = BackfillOrder(topic(*sources), self.root, days[0], days[1], naver=self.naver.url, keys=KEYS)
        self._ran(asyncio.run(backfill(order, now=self._now)))

    def _now(self) -> Any:
        return self.naver.clock.now

    def _ran(self, receipt: Receipt) -> None:
        self.rang += [*receipt.drift, *receipt.held.values()]
        self.read += receipt.pages_read


def search_then_section(run: Crawler) -> None:
    """The demo's order: articles on the topic, then all that a section has."""
    run.crawl(days=20)


def section_then_search(run: Crawler) -> None:
    run.crawl(section("105"), days=20)
    run.crawl(*SEARCH, days=20)


def every_hour(run: Crawler, times: int = 48) -> None:
    """Two days, an hour at a time, after a first crawl."""
    run.naver.clock.advance(-timedelta(days=2))
    run.crawl(days=10)
    for _ in range(times):
        run.naver.clock.advance(timedelta(hours=1))
        run.crawl()


def older_days_behind_it(run: Crawler) -> None:
    run.crawl(days=5)
    run.backfill(12, 6)


def refreshed(run: Crawler) -> None:
    run.naver.clock.advance(-timedelta(days=3))
    run.crawl(days=15)
    for _ in range(3):
        run.naver.clock.advance(timedelta(days=1))
        run.refresh()


def sections_added(run: Crawler) -> None:
    """A topic that gets another section, again and again: opinion, politics, the rest."""
    sids = ["105"]
    run.crawl(section(*sids), days=20)
    for sid in ("110", "100", "101", "102", "103"):
        sids.append(sid)
        run.crawl(section(*sids), days=20)


def press_by_press(run: Crawler) -> None:
    """The lists of single press offices, one after the other: some hundred pages of one press office each."""
    for press in run.naver.corpus.offices:
        run.crawl({"type": "press_list", "oids": [press.oid]}, days=20)


Scenario = Callable[[Crawler], None]
SCENARIOS: tuple[Scenario, ...] = (
    search_then_section, section_then_search, every_hour, older_days_behind_it, refreshed, sections_added,
    press_by_press,
)  # fmt: skip
LOOKS = (None, Layout.Y2022, Layout.Y2024, Layout.Y2026_02, Layout.Y2026_10)
"""A mixture as the corpus has it, and the looks of today's page."""


def crawled(scenario: Scenario, seed: int, articles: int) -> Crawler:
    """A scenario against a corpus of three weeks; its seed chooses the look too."""
    corpus = make_corpus(seed, articles=articles, days=21, presses=12)
    with (
        Replica(corpus, behaviour=Behaviour(layout=LOOKS[seed % len(LOOKS)])) as naver,
        tempfile.TemporaryDirectory() as root,
    ):
        run = Crawler(naver, Path(root))
        scenario(run)
    return run
