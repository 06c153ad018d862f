"""Politeness as the server saw it: forbidden addresses, pauses, pace and places, over every kind of run and across
kills; and what it costs to look again at articles that have not changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows.replica.corpus.articles import Corpus, MadeArticle, make_corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.log import forbidden_fetches, max_in_flight, max_rate, min_interval, requests_during_pause
from flows.replica.pages.notices import Robots
from flows.replica.server import Replica
from flows.runs.backfill import BackfillOrder, backfill
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.refresh import RefreshOrder, refresh
from schemas.article import SEOUL, Outcome
from schemas.receipt import Receipt
from schemas.topic import Topic
from storage.reading.reader import open_snapshot, run_query
from tests.support.command import crawling, ending, process, start
from tests.support.histories.worlds import DAY, disable_syncs, scenario_topic, use_clock_of, wait_until
from tests.support.paths import ROOT
from tests.support.topics import KEYS

NEWS, NNEWS, SEARCH, OPENAPI = "news.naver.com", "n.news.naver.com", "search.naver.com", "openapi.naver.com"
WEEKS = timedelta(days=8)
JITTER = 0.7
"""Requests that left at the pace may come in a little closer together: so much of the interval is insisted on."""


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    disable_syncs(monkeypatch)


@pytest.fixture
def naver() -> Iterator[Replica]:
    """Three days up to now: pauses are real time."""
    with Replica(make_corpus(7, articles=60, presses=3, days=3, last=datetime.now(UTC))) as replica:
        yield replica


def about(**limits: object) -> Topic:
    return scenario_topic(**{"patience_seconds": 20.0, "concurrency": 4, **limits})


def crawled(naver: Replica, root: Path, topic: Topic, **order: object) -> Receipt:
    whole = CrawlOrder(**{"topic": topic, "archive": root, "naver": naver.url, "keys": KEYS, **order})  # type: ignore[arg-type]
    return asyncio.run(crawl(whole, now=lambda: naver.clock.now))


def refreshed(naver: Replica, root: Path, topic: Topic, *, later: timedelta = WEEKS) -> Receipt:
    """A refresh of everything that is due by then."""
    return asyncio.run(refresh(RefreshOrder(topic, root, naver=naver.url), now=lambda: naver.clock.now + later))


def filled(naver: Replica, root: Path, topic: Topic) -> Receipt:
    first, last = naver.clock.now - 2 * DAY, naver.clock.now
    order = BackfillOrder(topic, root, day(first), day(last), again=True, naver=naver.url, keys=KEYS)
    return asyncio.run(backfill(order, now=lambda: naver.clock.now))


def day(moment: datetime) -> date:
    return moment.astimezone(SEOUL).date()


# -- robots.txt


def test_no_run_asks_for_what_robots_txt_forbids(naver: Replica, tmp_path: Path) -> None:
    """Not even a refresh of what was fetched while it was allowed."""
    first = crawled(naver, tmp_path, about(), most_fetches=20)
    assert first.outcomes[Outcome.NEW] > 5
    naver.behaviour = Behaviour(robots_by_host={NNEWS: Robots.FORBID, SEARCH: Robots.BROKEN})
    before = len(naver.log.entries)
    for run in (refreshed, filled, crawled):
        run(naver, tmp_path, about(tries=1))
    assert forbidden_fetches(naver.log.entries) == []
    asked = {(entry.host, entry.target) for entry in naver.log.entries[before:]}
    assert {(NNEWS, "/robots.txt"), (SEARCH, "/robots.txt")} <= asked


# -- pauses


def too_many(host: str, path: str, *, after: int = 0, as_date: bool = False) -> Rule:
    # A date has whole seconds: of two, more than one is left.
    seconds = 2 if as_date else 1
    return Rule(Fault.TOO_MANY, host=host, path=path, after=after, times=1, retry_after=seconds, as_date=as_date)


def test_every_kind_of_run_waits_until_the_pauses_of_all_hosts_are_over(naver: Replica, tmp_path: Path) -> None:
    rules = (
        too_many(NNEWS, "/article/", after=6),
        too_many(NEWS, "list", as_date=True),
        too_many(SEARCH, "search", after=1),
        too_many(OPENAPI, "search"),
    )
    naver.behaviour = Behaviour(rules=rules)
    crawled(naver, tmp_path, about(), most_fetches=20)
    naver.behaviour = Behaviour(rules=(too_many(NNEWS, "/article/", after=3, as_date=True),))
    refreshed(naver, tmp_path, about())
    naver.behaviour = Behaviour(rules=rules[3:])
    filled(naver, tmp_path, about())
    paused = [(entry.host, entry.status) for entry in naver.log.entries if entry.paused_until is not None]
    assert len(paused) == 6
    assert {host for host, _ in paused} == {NNEWS, NEWS, SEARCH, OPENAPI}
    assert requests_during_pause(naver.log.entries) == []


@pytest.mark.parametrize("as_date", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["seconds", "date"])
@pytest.mark.every(2)
def test_a_pause_outlives_a_run_that_is_killed_in_it(naver: Replica, tmp_path: Path, as_date: bool) -> None:
    rule = Rule(Fault.TOO_MANY, host=NNEWS, path="/article/", after=4, times=1, retry_after=14, as_date=as_date)
    naver.behaviour = Behaviour(rules=(rule,))
    archive, topic = tmp_path / "archive", topic_file(tmp_path, patience_seconds=30)
    kept = archive / "state" / "backoff.json"
    with ending(start("crawl", env=crawling(naver, archive, topic))) as running:
        wait_until(lambda: kept.exists() and NNEWS in json.loads(kept.read_text("utf-8")))
        assert running.poll() is None
        running.kill()
    before = len(naver.log.entries)
    again = process("crawl", "--limit", "6", env=crawling(naver, archive, topic))
    assert again.code == 0, again.err
    (pause,) = [entry for entry in naver.log.entries if entry.paused_until is not None]
    later = [entry for entry in naver.log.entries[before:] if entry.host == NNEWS]
    assert requests_during_pause(naver.log.entries) == []
    assert later, "the second run did not wait for the host: the test shows nothing"
    assert pause.paused_until is not None
    assert naver.log.entries[before].arrived < pause.paused_until < later[0].arrived


def topic_file(folder: Path, **limits: object) -> Path:
    """The demo's topic with other limits."""
    path = folder / "topic.yaml"
    settings: dict[str, object] = {"requests_per_second": 0, "concurrency": 4, "backoff_seconds": 0.01, **limits}
    lines = [f"  {name}: {value}" for name, value in settings.items()]
    path.write_text("\n".join([f"extends: {ROOT / 'topics' / 'demo.yaml'}", "limits:", *lines, ""]), "utf-8")
    return path


# -- pace and places


def test_pace_and_places_over_every_kind_of_run(naver: Replica, tmp_path: Path) -> None:
    topic = about(requests_per_second=40.0, concurrency=2)
    for run in (crawled, refreshed, filled):
        before = len(naver.log.entries)
        run(naver, tmp_path, topic)
        entries = naver.log.entries[before:]
        assert len(entries) > 15
        for host in {entry.host for entry in entries}:
            assert max_rate(entries, host) <= 44
            assert max_in_flight(entries, host) <= 2


@pytest.mark.parametrize("end", ["ended", "killed"])
def test_the_pace_holds_across_the_border_between_two_runs(naver: Replica, tmp_path: Path, end: str) -> None:
    """A request a second: the second run starts at once."""
    address = path_of(next(one for one in naver.corpus.articles if not one.subject.arena))
    archive, topic = tmp_path / "archive", about(requests_per_second=1.0)
    if end == "ended":
        crawled(naver, archive, topic, addresses=(address,))
    else:
        env = crawling(naver, archive, topic_file(tmp_path, requests_per_second=1))
        with ending(start("crawl", "--url", address, env=env)) as running:
            wait_until(lambda: bool(naver.log.entries))
            running.kill()
    before = len(naver.log.entries)
    crawled(naver, archive, topic, addresses=(address,))
    assert {entry.host for entry in naver.log.entries} == {NNEWS}
    assert len(naver.log.entries) > before
    assert min_interval(naver.log.entries, NNEWS) >= JITTER


def path_of(article: MadeArticle) -> str:
    assert article.key is not None
    return article.key.url


# -- looking again


OUT = datetime(2035, 3, 12, 12, 0, tzinfo=SEOUL)


@pytest.fixture
def days() -> Corpus:
    """Some days of articles that are all on topic, and some of them edited."""
    return make_corpus(5, articles=80, presses=4, days=3, last=OUT + DAY)


@pytest.fixture(params=[True, False], ids=["validators", "none"])
def validators(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def site(days: Corpus, validators: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    behaviour = Behaviour(validators=validators, restless=True, padding=20_000)
    with Replica(days, now=OUT, behaviour=behaviour) as replica:
        use_clock_of(monkeypatch, replica)
        yield replica


def stored(root: Path) -> tuple[int, int]:
    """Revisions, and answers in the captures."""
    with open_snapshot(root) as connection:
        revisions = next(iter(run_query(connection, "SELECT count(*) FROM revisions")[1]))[0]
    answers = sum(path.read_bytes().count(b"\x1f\x8b\x08") for path in (root / "captures").rglob("*.warc.gz"))
    return int(str(revisions)), answers


def test_a_refresh_sees_every_edit_and_stores_nothing_else(site: Replica, validators: bool, tmp_path: Path) -> None:
    about_all = about()
    first = crawled(site, tmp_path, about_all)
    shown = {str(one["id"]): site.corpus.find(*str(one["id"]).split("_")) for one in first.newest}
    assert len(shown) == first.outcomes[Outcome.NEW] < 50, "the receipt names all that is new"
    site.clock.set(OUT + DAY)
    again = refreshed(site, tmp_path, about_all)
    assert again.finds == len(shown) > 15
    gone = sum(one.gone(OUT + DAY) for one in shown.values() if one)
    edited = sum(texts(one, OUT) != texts(one, OUT + DAY) for one in shown.values() if one and not one.gone(OUT + DAY))
    assert edited > 0
    assert (again.outcomes[Outcome.EDITED], again.outcomes[Outcome.GONE]) == (edited, gone)
    assert again.outcomes[Outcome.UNCHANGED] == again.finds - edited - gone
    assert again.quarantined == again.layout_faults == 0


def texts(article: MadeArticle, at: datetime) -> tuple[str, str]:
    return article.at(at).title, article.at(at).body


def test_what_has_not_changed_costs_a_fraction(site: Replica, validators: bool, tmp_path: Path) -> None:
    first = crawled(site, tmp_path, about())
    before = stored(tmp_path)
    again = refreshed(site, tmp_path, about())
    assert again.finds == again.outcomes[Outcome.UNCHANGED] == first.outcomes[Outcome.NEW]
    assert stored(tmp_path)[0] == before[0]
    answers = [entry.status for entry in site.log.entries[-again.finds :]]
    if validators:
        assert set(answers) == {304}
        assert again.bytes < first.bytes / 50
        assert again.pages_read == 0
        assert again.seconds.get("parse", 0) == again.seconds.get("capture", 0) == 0
    else:
        assert set(answers) == {200}
        assert again.pages_read == again.finds
    third = refreshed(site, tmp_path, about(), later=WEEKS)
    assert third.finds == 0, "a refresh that was done is not due again"


def test_a_page_that_was_modified_stays_young_when_it_has_not_changed_since(
    days: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour and a day after its modification: the look in between, which is answered 304, does not end that."""
    hour = timedelta(hours=1)
    plain = (one for one in days.articles if not one.subject.arena and not one.gone_at and len(one.versions) == 2)
    article = next(one for one in plain if DAY + hour < one.versions[1].since - one.published_at < 5 * DAY)
    modified = article.versions[1].since
    with Replica(days, now=modified + hour / 2, behaviour=Behaviour(validators=True)) as site:
        use_clock_of(monkeypatch, site)
        crawled(site, tmp_path, about(), addresses=(path_of(article),))
        site.clock.set(modified + hour)
        refreshed(site, tmp_path, about(), later=timedelta(0))
        assert [entry.status for entry in site.log.entries if "/article/" in entry.target] == [200, 304]
    with open_snapshot(tmp_path) as connection:
        ((due,),) = run_query(connection, "SELECT refresh_at FROM frontier")[1]
    assert due == modified + DAY
