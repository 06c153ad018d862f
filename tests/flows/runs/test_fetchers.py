"""Fetchers without an archive, and the archive that takes in what they fetched."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.replica.corpus import Corpus, make_corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.notices import Robots
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl, refs_of_addresses
from flows.runs.fetch import FetchOrder, FetchReport, fetch
from flows.runs.take_in import TakeInOrder, take_in
from schemas.article import Outcome
from schemas.errors import ArchiveBusy, BadInput
from schemas.receipt import ExitReason, Receipt
from storage.inbox.inbox import Inbox
from storage.inbox.records import record_bytes
from storage.integrity.repair import verify_archive
from storage.objects.store import open_store
from storage.reading.reader import open_snapshot, run_query
from tests.programs.torture import state_of
from tests.support.topics import demo_topic

NNEWS = "n.news.naver.com"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(23, articles=60, presses=5, days=3, last=datetime.now(UTC))


@pytest.fixture
def naver(corpus: Corpus) -> Iterator[Replica]:
    with Replica(corpus) as replica:
        yield replica


@pytest.fixture
def addresses(corpus: Corpus) -> list[str]:
    return [article.key.url for article in corpus.articles if article.key and not article.subject.arena]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(open_store(f"file://{tmp_path}/store"))


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten addresses in a segment: a few dozen addresses make several."""
    for module in ("flows.runs.fetch", "storage.inbox.spool"):
        monkeypatch.setattr(f"{module}.MOST_VISITED", 10)


def fetched(
    inbox: Inbox, naver: Replica, state: Path, addresses: Sequence[str], fetcher: str = "seoul-1", **limits: Any
) -> FetchReport:
    refs = refs_of_addresses(addresses, datetime.now(UTC))
    return asyncio.run(fetch(FetchOrder(demo_topic(**limits), inbox, fetcher, state, refs, naver.url)))


def taken_in(inbox: Inbox, root: Path, *skip: tuple[str, int]) -> Receipt:
    return asyncio.run(take_in(TakeInOrder(demo_topic(), root, inbox=inbox, skip=skip)))


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_snapshot(root) as connection:
        return [tuple(row) for row in run_query(connection, sql)[1]]


def segment_path(inbox: Inbox, number: int, fetcher: str = "seoul-1") -> Path:
    return Path("/", inbox.store.address.prefix, "inbox", fetcher, f"{number:06}.warc.gz")


def test_what_fetchers_fetched_and_the_archive_took_in_is_what_one_crawl_stores(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    half = len(addresses) // 2
    reports = [
        fetched(inbox, naver, tmp_path / "one", addresses[:half], "seoul-1"),
        fetched(inbox, naver, tmp_path / "two", addresses[half:], "busan-1"),
    ]
    assert [report.exit_reason for report in reports] == [ExitReason.DONE, ExitReason.DONE]
    assert sum(report.visited for report in reports) == len(addresses)
    receipt = taken_in(inbox, tmp_path / "archive")
    assert receipt.exit_reason is ExitReason.DONE, receipt.explanation
    alone = CrawlOrder(demo_topic(), tmp_path / "alone", naver=naver.url, addresses=tuple(taken_order(tmp_path)))
    crawled = asyncio.run(crawl(alone))
    assert crawled.outcomes == receipt.outcomes
    assert comparable(tmp_path / "archive") == comparable(tmp_path / "alone")
    assert verify_archive(tmp_path / "archive").faults == []
    # Every request is in the ledger, with robots.txt of each fetcher.
    ledger = rows(tmp_path / "archive", "SELECT count(*) FROM requests")
    assert ledger == [(sum(report.requests for report in reports),)]


def comparable(root: Path) -> dict[str, Any]:
    return state_of(root)


def taken_order(tmp_path: Path) -> list[str]:
    """The addresses in the order in which the archive took them in."""
    sql = "SELECT url FROM frontier JOIN finds USING (id) ORDER BY finds.rowid"
    return [str(url) for (url,) in rows(tmp_path / "archive", sql)]
