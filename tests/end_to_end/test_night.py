"""A night in Korea: a new day without articles is no failure, and a site that shows nothing any more is no success."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.log import LogEntry
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl
from schemas.article import SEOUL, Outcome
from schemas.receipt import ExitReason, Receipt, SourceEnd
from schemas.topic import Topic
from tests.support.topics import demo_topic, press_list, section_list

LAST = datetime(2026, 1, 15, 23, 45, tzinfo=SEOUL)
NIGHT = datetime(2026, 1, 16, 2, 0, tzinfo=SEOUL)
QUARTER = timedelta(minutes=15)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Articles up to shortly before midnight, and none after."""
    return make_corpus(7, articles=170, presses=4, days=6, last=LAST)


@pytest.fixture(params=["press_list", "section_list", "search_page"])
def about(request: pytest.FixtureRequest, corpus: Corpus) -> Topic:
    match request.param:
        case "press_list":
            return demo_topic(press_list(corpus.offices[0].oid))
        case "section_list":
            return demo_topic(section_list("105"))
        case _:
            return demo_topic({"type": "search_page"}, queries=("소버린 AI",))


def run(naver: Replica, root: Path, about: Topic, at: datetime) -> tuple[Receipt, list[LogEntry]]:
    """A crawl at that time, and what it asked of lists and searches."""
    naver.clock.set(at)
    asked = len(naver.log.entries)
    order = CrawlOrder(topic=about, archive=root, naver=naver.url)
    receipt = asyncio.run(crawl(order, now=lambda: naver.clock.now))
    return receipt, [entry for entry in naver.log.entries[asked:] if "robots.txt" not in entry.target]


def test_a_scheduled_night_is_quiet(naver: Replica, tmp_path: Path, about: Topic) -> None:
    evening, _ = run(naver, tmp_path, about, LAST)
    assert evening.exit_reason is ExitReason.DONE
    assert evening.outcomes[Outcome.NEW] > 0
    run(naver, tmp_path, about, datetime.combine(NIGHT.date(), time(0, 5), SEOUL))
    for at in (NIGHT, NIGHT + QUARTER, NIGHT.replace(hour=6)):
        receipt, asked = run(naver, tmp_path, about, at)
        assert receipt.exit_reason is ExitReason.NOTHING_NEW, receipt.explanation
        # The empty day and one page of the day before, whose articles are known.
        assert len(asked) <= 2
        assert sum(source.items for source in receipt.sources) > 0
        assert receipt.outcomes[Outcome.UNCHANGED] == receipt.finds > 0


def test_silence_is_believed_for_a_week_and_then_reported(naver: Replica, tmp_path: Path, about: Topic) -> None:
    """The replica publishes nothing more: its lists look like those of a site that broke."""
    run(naver, tmp_path, about, LAST)
    for days in (0, 6):
        receipt, _ = run(naver, tmp_path, about, NIGHT + timedelta(days=days))
        assert receipt.exit_reason is ExitReason.NOTHING_NEW, receipt.explanation
    receipt, asked = run(naver, tmp_path, about, NIGHT + timedelta(days=8))
    assert receipt.exit_reason is ExitReason.NOTHING_DISCOVERED, receipt.explanation
    assert "2026-01-24" in receipt.explanation
    (source,) = receipt.sources
    assert (source.end, source.items, source.watermark) == (SourceEnd.EMPTY, 0, None)
    assert len(asked) <= 9
