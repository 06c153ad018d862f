"""Whole crawls of the replica without any fault, with sources in the orders that occur in practice."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from flows.replica.corpus.articles import Layout, make_corpus
from flows.replica.faults import Behaviour
from flows.replica.server import Replica
from flows.runs.backfill import BackfillOrder, backfill
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.refresh import RefreshOrder, refresh
from schemas.receipt import Receipt
from tests.support.topics import KEYS, demo_topic, press_list, section_list

SEARCH = ({"type": "search_api", "endpoint": "openapi"}, {"type": "search_page"})


class Crawler:
    """Runs in one archive, by the replica's clock. `alarms`: all alarms; `pages`: the number of parsed pages."""

    def __init__(self, naver: Replica, root: Path) -> None:
        self.naver, self.root = naver, root
        self.alarms: list[str] = []
        self.pages = 0

    def crawl(self, *sources: dict[str, Any], days: float | None = None) -> None:
        """Crawl these sources (default: the demo's), for the last `days` or from where the previous run ended."""
        since = None if days is None else self.naver.clock.now - timedelta(days=days)
        order = CrawlOrder(demo_topic(*sources), self.root, naver=self.naver.url, keys=KEYS, since=since)
        self._ran(asyncio.run(crawl(order, now=self._now)))

    def refresh(self) -> None:
        self._ran(asyncio.run(refresh(RefreshOrder(demo_topic(), self.root, naver=self.naver.url), now=self._now)))

    def backfill(self, first: int, last: int, *sources: dict[str, Any]) -> None:
        """Backfill the days from `first` to `last` days ago."""
        days = [(self._now() - timedelta(days=ago)).date() for ago in (first, last)]
        order = BackfillOrder(demo_topic(*sources), self.root, days[0], days[1], naver=self.naver.url, keys=KEYS)
        self._ran(asyncio.run(backfill(order, now=self._now)))

    def _now(self) -> Any:
        return self.naver.clock.now

    def _ran(self, receipt: Receipt) -> None:
        self.alarms += [*receipt.drift, *receipt.held.values()]
        self.pages += receipt.pages_read


def search_then_section(run: Crawler) -> None:
    """The demo's order: articles on the topic, then all of a section."""
    run.crawl(days=20)


def section_then_search(run: Crawler) -> None:
    run.crawl(section_list("105"), days=20)
    run.crawl(*SEARCH, days=20)


def every_hour(run: Crawler, times: int = 48) -> None:
    """A first crawl, then one per hour for two days."""
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
    """A topic to which sections are added one by one: opinion, politics, and others."""
    sids = ["105"]
    run.crawl(section_list(*sids), days=20)
    for sid in ("110", "100", "101", "102", "103"):
        sids.append(sid)
        run.crawl(section_list(*sids), days=20)


def press_by_press(run: Crawler) -> None:
    """The lists of single press offices, one after another: about a hundred pages each."""
    for press in run.naver.corpus.offices:
        run.crawl(press_list(press.oid), days=20)


Scenario = Callable[[Crawler], None]
SCENARIOS: tuple[Scenario, ...] = (
    search_then_section, section_then_search, every_hour, older_days_behind_it, refreshed, sections_added,
    press_by_press,
)  # fmt: skip
LOOKS = (None, Layout.Y2022, Layout.Y2024, Layout.Y2026_02, Layout.Y2026_10)
"""The corpus' own mixture of layouts (None), and single layouts of today's page."""


def crawled(scenario: Scenario, seed: int, articles: int) -> Crawler:
    """Run a scenario with a corpus of three weeks; the seed also selects the layout."""
    corpus = make_corpus(seed, articles=articles, days=21, presses=12)
    with (
        Replica(corpus, behaviour=Behaviour(layout=LOOKS[seed % len(LOOKS)])) as naver,
        tempfile.TemporaryDirectory() as root,
    ):
        run = Crawler(naver, Path(root))
        scenario(run)
    return run
