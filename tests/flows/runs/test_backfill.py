"""Days of the past: each window is read once, also after a stop; gaps are recorded, and closed."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flows.pipeline.stop import Stop
from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.pages.notices import Robots
from flows.replica.server import Replica
from flows.runs.backfill import BackfillOrder, backfill
from flows.runs.crawl import CrawlOrder, crawl
from schemas.article import SEOUL, Outcome
from schemas.coverage import Stretch
from schemas.errors import BadInput
from schemas.receipt import ExitReason, Receipt, SourceEnd
from schemas.topic import Topic
from storage.archive import Archive, open_archive
from tests.support.archives import archived_ids
from tests.support.command import seogo
from tests.support.paths import DEMO_TOPIC
from tests.support.topics import KEYS, demo_topic, press_list

LAST = datetime(2026, 1, 15, 12, 0, tzinfo=SEOUL)
FIRST_DAY, LAST_DAY = date(2026, 1, 12), date(2026, 1, 14)

topic = partial(demo_topic, tries=1)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(5, articles=160, presses=3, days=5, last=LAST)


def presses(corpus: Corpus, count: int = 2) -> dict[str, Any]:
    return press_list(*(office.oid for office in corpus.offices[:count]))


def fill(naver: Replica, root: Path, about: Topic, *, stop: Stop | None = None, **asked: Any) -> Receipt:
    days = {} if asked.get("gaps") else {"first": FIRST_DAY, "last": LAST_DAY}
    order = BackfillOrder(about, root, naver=naver.url, **{**days, **asked})
    return asyncio.run(backfill(order, stop=stop, now=lambda: naver.clock.now))


def published(corpus: Corpus, oids: set[str]) -> set[str]:
    """The on-topic articles of these press offices from these days that their lists show now."""
    return {
        article.key.id
        for article in corpus.articles
        if article.key and article.key.oid in oids and article.on_topic and not article.subject.arena
        if FIRST_DAY <= article.published_at.astimezone(SEOUL).date() <= LAST_DAY and article.listed_at <= LAST
        if article.gone_at is None or article.gone_at > LAST
    }


def ledger(root: Path, source: str) -> list[Stretch]:
    with open_archive(root) as archive:
        return archive.coverage(source)


def day(of: date) -> datetime:
    return datetime(of.year, of.month, of.day, tzinfo=SEOUL)


WHOLE = [Stretch(day(FIRST_DAY), day(LAST_DAY) + timedelta(days=1))]


def test_days_are_read_whole_and_only_once(naver: Replica, corpus: Corpus, tmp_path: Path) -> None:
    about = topic(presses(corpus))
    receipt = fill(naver, tmp_path, about)
    oids = set(presses(corpus)["oids"])
    assert receipt.exit_reason is ExitReason.DONE, receipt.explanation
    assert published(corpus, oids) <= archived_ids(tmp_path)
    assert {article_id[:3] for article_id in archived_ids(tmp_path)} <= oids
    for oid in oids:
        assert ledger(tmp_path, f"press_list:{oid}") == WHOLE
    again = fill(naver, tmp_path, about)
    assert (again.requests, again.finds, again.exit_reason) == (0, 0, ExitReason.NOTHING_NEW)


def test_again_reads_what_came_late(naver: Replica, corpus: Corpus, tmp_path: Path) -> None:
    about = topic(presses(corpus))
    naver.clock.set(day(LAST_DAY) + timedelta(days=1))
    fill(naver, tmp_path, about)
    naver.clock.set(LAST)
    assert fill(naver, tmp_path, about).requests == 0
    receipt = fill(naver, tmp_path, about, again=True)
    assert receipt.requests > 0
    assert published(corpus, set(presses(corpus)["oids"])) <= archived_ids(tmp_path)


class AfterRequests:
    """Stops a run once so many requests have been made."""

    def __init__(self, stop: Stop, requests: int) -> None:
        self.stop, self.requests = stop, requests

    def __call__(self, receipt: Receipt) -> None:
        if receipt.requests >= self.requests:
            self.stop.request(by_hand=True)


def test_stopped_in_the_middle_it_goes_on_where_it_was(naver: Replica, corpus: Corpus, tmp_path: Path) -> None:
    about = topic(presses(corpus))
    order = BackfillOrder(about, tmp_path, FIRST_DAY, LAST_DAY, naver=naver.url)

    async def stopped() -> Receipt:
        stop = Stop()
        return await backfill(order, stop=stop, on_progress=AfterRequests(stop, 25), now=lambda: naver.clock.now)

    first = asyncio.run(stopped())
    assert first.exit_reason is ExitReason.INTERRUPTED
    # What was not reached is a gap, which `backfill --gaps` would read as well.
    assert any(row.reason for oid in presses(corpus)["oids"] for row in ledger(tmp_path, f"press_list:{oid}"))
    lists = [entry.target for entry in naver.log.entries if "list.naver" in entry.target]
    naver.log.clear()
    second = fill(naver, tmp_path, about)
    assert second.exit_reason is ExitReason.DONE, second.explanation
    again = {entry.target for entry in naver.log.entries if "list.naver" in entry.target}
    assert again - set(lists)
    assert set(lists) - again, "a window that was read through was read again"
    assert published(corpus, set(presses(corpus)["oids"])) <= archived_ids(tmp_path)


def test_a_window_that_fails_is_a_gap_until_it_is_read(naver: Replica, corpus: Corpus, tmp_path: Path) -> None:
    about = topic(presses(corpus, 1))
    (oid,) = presses(corpus, 1)["oids"]
    naver.behaviour = Behaviour(rules=(Rule(Fault.SERVER_ERROR, path="date=20260113"),))
    receipt = fill(naver, tmp_path, about)
    assert receipt.exit_reason is ExitReason.PARTLY_FAILED
    gap = Stretch(day(date(2026, 1, 13)), day(date(2026, 1, 14)), receipt.sources[0].reason.partition("; ")[2])
    assert gap in ledger(tmp_path, f"press_list:{oid}")
    status = seogo("status", "--archive", tmp_path, "--json").json
    assert {row["source"] for row in status["gaps"]} == {f"press_list:{oid}"}
    assert len(status["gaps"]) == 2, "the day that failed, and the one that it did not come to"
    assert "seogo backfill --gaps" in seogo("status", "--archive", tmp_path).out

    naver.behaviour = Behaviour()
    assert fill(naver, tmp_path, about, gaps=True).exit_reason is ExitReason.DONE
    assert all(row.reason is None for row in ledger(tmp_path, f"press_list:{oid}"))
    assert fill(naver, tmp_path, about, gaps=True).requests == 0
    fill(naver, tmp_path, about)
    assert ledger(tmp_path, f"press_list:{oid}") == WHOLE
    assert published(corpus, {oid}) <= archived_ids(tmp_path)


def test_a_gap_that_robots_txt_forbids_is_said_once_and_is_no_failure(naver: Replica, tmp_path: Path) -> None:
    """Through the command, with sources on two hosts."""
    sources = ("--source", "section_list", "--source", "search_page")
    env: dict[str, str | Path] = {"SEOGO_NAVER": naver.url, "SEOGO_ARCHIVE": tmp_path, "SEOGO_TOPIC": DEMO_TOPIC}
    naver.behaviour = Behaviour(robots=Robots.FORBID)
    ordered = seogo("backfill", *sources, "--from", "2026-01-13", "--to", "2026-01-13", env=env)
    assert ordered.code == 5, "days that were asked for by name"

    naver.log.clear()
    ran = seogo("backfill", "--gaps", *sources, env=env)
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert "nothing_new: no gap is left but those that robots.txt forbids to read." in ran.out
    hosts = {entry.host for entry in naver.log.entries}
    assert ran.out.count("disallows it") == len(hosts) > 1, "one line for each host's robots.txt"
    assert {entry.target for entry in naver.log.entries} == {"/robots.txt"}
    status = seogo("status", "--json", env=env).json
    assert all("disallows it" in gap["reason"] for gap in status["gaps"])
    assert status["gaps"], "they stay in the ledger"

    naver.behaviour = Behaviour()
    assert seogo("backfill", "--gaps", *sources, env=env).code == 0
    assert seogo("status", "--json", env=env).json["gaps"] == []


def test_days_that_are_all_empty_are_not_believed(naver: Replica, corpus: Corpus, tmp_path: Path) -> None:
    about = topic(presses(corpus, 1))
    (oid,) = presses(corpus, 1)["oids"]
    naver.behaviour = Behaviour(rules=(Rule(Fault.EMPTY_LIST, path="list.naver"),))
    receipt = fill(naver, tmp_path, about)
    assert receipt.exit_reason in (ExitReason.NOTHING_DISCOVERED, ExitReason.LAYOUT_CHANGED)
    assert all(row.reason is not None for row in ledger(tmp_path, f"press_list:{oid}"))


def test_days_long_past_that_are_all_empty_are_not_believed_either(
    naver: Replica, corpus: Corpus, tmp_path: Path
) -> None:
    """That they are more than a week old does not make their silence last a week."""
    about = topic(presses(corpus, 1))
    (oid,) = presses(corpus, 1)["oids"]

    def later(**asked: Any) -> Receipt:
        order = BackfillOrder(about, tmp_path, FIRST_DAY, LAST_DAY, naver=naver.url, **asked)
        return asyncio.run(backfill(order, now=lambda: LAST + timedelta(days=20)))

    naver.behaviour = Behaviour(rules=(Rule(Fault.EMPTY_LIST, path="list.naver"),))
    later()
    assert all(row.reason is not None for row in ledger(tmp_path, f"press_list:{oid}"))
    naver.behaviour = Behaviour()
    assert later().exit_reason is ExitReason.DONE
    assert published(corpus, {oid}) <= archived_ids(tmp_path)


def test_the_archive_gets_one_question_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB refuses a second call during a first, and the database is closed while the snapshot is made."""
    monkeypatch.setattr("flows.pipeline.batches.BATCH", 16)
    storing, asked = threading.Event(), []

    def slowly(self: Archive, *arguments: Any, **more: Any) -> Any:
        storing.set()
        time.sleep(0.2)
        done = store(self, *arguments, **more)
        storing.clear()
        return done

    def seen(question: Any) -> Any:
        def ask(self: Archive, *arguments: Any) -> Any:
            asked.append(storing.is_set())
            return question(self, *arguments)

        return ask

    store = Archive.store
    monkeypatch.setattr(Archive, "store", slowly)
    for name in ("coverage", "gaps"):
        monkeypatch.setattr(Archive, name, seen(getattr(Archive, name)))
    about = topic({"type": "search_api", "endpoint": "openapi"}, backoff_seconds=0.01)
    with Replica(make_corpus(5, articles=900, presses=12, days=10, last=LAST), now=LAST) as naver:
        fill(naver, tmp_path, about, keys=KEYS)
    assert len(asked) > 10
    assert not any(asked)


def test_what_the_api_shows_no_more_the_search_page_shows(
    naver: Replica, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.sources.search_api.API_CAP", 20)  # the thousand of a small Naver
    monkeypatch.setattr("flows.sources.search_api.API_PAGE", 10)
    sources: list[dict[str, Any]] = [{"type": "search_api", "endpoint": "openapi"}, {"type": "search_page"}]
    about = topic(*sources, queries=("AI",))
    alone = about.model_copy(update={"sources": about.sources[:1]})
    order = CrawlOrder(alone, tmp_path, since=day(date(2026, 1, 11)), naver=naver.url, keys=KEYS)
    receipt = asyncio.run(crawl(order, now=lambda: naver.clock.now))
    assert [report.end for report in receipt.sources] == [SourceEnd.CAP]
    assert [row.reason is None for row in ledger(tmp_path, "search_api:AI")] == [False, True]

    without = fill(naver, tmp_path, alone, gaps=True, keys=KEYS)
    assert without.exit_reason is ExitReason.PARTLY_FAILED
    assert [row.reason is None for row in ledger(tmp_path, "search_api:AI")] == [False, True]

    filled = fill(naver, tmp_path, about, gaps=True, keys=KEYS)
    assert all(row.reason is None for row in ledger(tmp_path, "search_api:AI")), filled.explanation


def test_a_crawl_since_later_leaves_a_gap_that_the_next_crawl_closes(
    naver: Replica, corpus: Corpus, tmp_path: Path
) -> None:
    about = topic(presses(corpus, 1))
    (oid,) = presses(corpus, 1)["oids"]

    def crawled(since: datetime | None = None) -> Receipt:
        order = CrawlOrder(about, tmp_path, since=since, naver=naver.url)
        return asyncio.run(crawl(order, now=lambda: naver.clock.now))

    naver.clock.set(day(date(2026, 1, 13)))
    crawled()
    naver.clock.set(LAST)
    crawled(since=LAST - timedelta(hours=3))
    (before, gap, after) = ledger(tmp_path, f"press_list:{oid}")
    assert (before.until, gap.until, after.until) == (gap.since, after.since, LAST)
    assert gap.reason == "a crawl --since a later time left it out"
    crawled()
    assert [row.reason for row in ledger(tmp_path, f"press_list:{oid}")] == [None]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "backfill needs --from DAY"),
        (("--gaps", "--from", "2026-01-01"), "leave out --from"),
        (("--from", "yesterday"), "'yesterday' is not a day"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "the earlier first"),
        (("--from", "1999-12-31"), "give days between"),
        (("--from", "2026-01-01", "--source", "press_lists"), "the topic has no such source; it has"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    ran = seogo("backfill", *words, "--archive", tmp_path / "a", "--topic", DEMO_TOPIC)
    assert ran.code == 2
    assert says in ran.err
    assert not (tmp_path / "a").exists()


def test_an_order_without_days_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="first and its last day"):
        asyncio.run(backfill(BackfillOrder(demo_topic(), tmp_path)))


def test_the_command(naver: Replica, corpus: Corpus, tmp_path: Path) -> None:
    env: dict[str, str | Path] = {
        "SEOGO_NAVER": naver.url,
        "SEOGO_ARCHIVE": tmp_path,
        "SEOGO_TOPIC": DEMO_TOPIC,
    }
    words = ("--from", "2026-01-12", "--to", "2026-01-13", "--source", "section_list", "--json")
    ran = seogo("backfill", *words, env=env)
    assert (ran.code, ran.json["command"]) == (0, "backfill"), ran.err
    assert ran.json["outcomes"][Outcome.NEW] > 0
    assert [report["source"].partition(":")[0] for report in ran.json["sources"]] == ["section_list"]
