"""A whole crawl against the replica: what is on topic ends up in the archive, once, whatever goes wrong."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from flows.pipeline.batches import Pipeline
from flows.pipeline.judge import Judge, assess_by
from flows.pipeline.stop import Stop
from flows.pipeline.visit import Visitor
from flows.replica.corpus.articles import Corpus, MadeArticle, make_corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.log import forbidden_fetches, max_in_flight, max_rate, requests_during_pause
from flows.replica.pages.notices import Robots
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.lifecycle import ignore_progress
from flows.sources.api_keys import ApiKey
from schemas.article import SEOUL, ArticleRef, Outcome
from schemas.find import RevisionKind
from schemas.page import RawPage
from schemas.receipt import ExitReason, Receipt, SourceEnd
from schemas.topic import Topic
from storage.archive import open_archive
from storage.integrity.verify import verify
from storage.reading.reader import open_snapshot, run_query
from tests.support import values
from tests.support.archives import archived_ids, ids, rows
from tests.support.topics import KEYS, demo_topic
from tests.support.values import page

LAST = datetime(2026, 1, 15, 12, 0, tzinfo=SEOUL)
NNEWS = "n.news.naver.com"

topic = partial(demo_topic, patience_seconds=5.0, backoff_seconds=0.01, max_backoff_seconds=0.05)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(7, articles=450, presses=12, days=12, last=LAST)


@pytest.fixture
def naver(corpus: Corpus) -> Iterator[Replica]:
    """Started for each test: requests that an earlier test left open would count as in flight."""
    with Replica(corpus) as replica:
        yield replica


def run(naver: Replica, root: Path, *, about: Topic | None = None, **order: object) -> Receipt:
    whole = CrawlOrder(**{"topic": about or topic(), "archive": root, "naver": naver.url, "keys": KEYS, **order})  # type: ignore[arg-type]
    # The crawl's clock is the replica's: its lists say what was published up to then.
    return asyncio.run(crawl(whole, now=lambda: naver.clock.now))


def on_topic(naver: Replica, since: datetime) -> set[str]:
    """What a crawl of everything since then must hold: the truth of the corpus."""
    now = naver.clock.now
    return {
        one.key.id
        for one in naver.corpus.articles
        if one.key and one.on_topic and one.published_at >= since and one.listed(now)
    }


def check(root: Path, receipt: Receipt) -> None:
    """What holds after every run, however it went."""
    assert sum(receipt.outcomes.values()) == receipt.finds
    with open_archive(root) as archive:
        assert verify(archive).faults == []
    files = {path.stem for path in (root / "articles").rglob("*.md")}
    assert files == ids(root, "SELECT id FROM articles WHERE status = 'archived'")
    # No text stands twice, but where an edit made two articles alike afterwards.
    alike = f"SELECT a.id FROM articles a JOIN articles b USING (text_hash) WHERE {_TWO_UNEDITED}"
    assert ids(root, alike) == set()


_EDITED = "(SELECT id FROM superseded)"
_TWO_UNEDITED = f"a.id < b.id AND a.body <> '' AND a.id NOT IN {_EDITED} AND b.id NOT IN {_EDITED}"


def test_everything_on_topic_is_archived_and_a_second_run_finds_nothing_new(naver: Replica, tmp_path: Path) -> None:
    since = naver.clock.now - topic().limits.lookback
    first = run(naver, tmp_path)
    assert (first.exit_reason, first.outcomes[Outcome.FAILED]) == (ExitReason.DONE, 0)
    missed = on_topic(naver, since) - archived_ids(tmp_path)
    assert missed == set()
    assert first.outcomes[Outcome.NEW] == len(ids(tmp_path))
    assert first.not_hosted > 0
    check(tmp_path, first)

    asked = len(naver.log.entries)
    again = run(naver, tmp_path)
    assert again.exit_reason is ExitReason.NOTHING_NEW
    assert again.outcomes[Outcome.UNCHANGED] == again.finds
    assert not [entry for entry in naver.log.entries[asked:] if entry.host == NNEWS and "/article/" in entry.target]
    check(tmp_path, again)


@pytest.mark.long
def test_a_crawl_every_some_hours_loses_nothing_to_ties_and_late_arrivals(corpus: Corpus, tmp_path: Path) -> None:
    start = LAST - timedelta(days=2)
    with Replica(corpus, now=start) as naver:
        since = start - topic().limits.lookback
        for hours in range(0, 49, 8):
            naver.clock.set(start + timedelta(hours=hours))
            check(tmp_path, run(naver, tmp_path))
        # What came late by more than the lag, or vanished between two runs, is out of a crawl's reach.
        lag = topic().limits.lag
        reachable = {
            one.key.id
            for one in corpus.articles
            if one.key
            and one.on_topic
            and one.published_at >= since
            and one.listed(naver.clock.now)
            and one.listed_at - one.published_at <= lag
        }
    assert reachable - archived_ids(tmp_path) == set()


def test_an_edit_is_a_revision_and_the_older_text_stays(naver: Replica, tmp_path: Path) -> None:
    edited = next(
        one
        for one in naver.corpus.articles
        if len(one.versions) == 2 and not one.subject.arena and not one.gone_at and one.copy_of is None
    )
    assert edited.key is not None
    naver.clock.set(edited.published_at)
    run(naver, tmp_path, addresses=(edited.key.url,))
    naver.clock.set(LAST)
    receipt = run(naver, tmp_path, addresses=(edited.key.url,))
    assert receipt.outcomes[Outcome.EDITED] == 1
    with open_snapshot(tmp_path) as connection:
        found = list(
            run_query(connection, "SELECT revision, revision_kind, title, body FROM revisions ORDER BY revision")[1]
        )
    assert found == [
        (1, RevisionKind.NEW.value, edited.versions[0].title, edited.versions[0].body),
        (2, RevisionKind.EDITED.value, edited.versions[1].title, edited.versions[1].body),
    ]
    (file,) = (tmp_path / "articles").rglob("*.md")
    assert edited.versions[1].text.paragraphs[-1][:20] in file.read_text("utf-8")
    check(tmp_path, receipt)


def test_a_deleted_article_is_gone_and_not_archived(naver: Replica, tmp_path: Path) -> None:
    gone = next(one for one in naver.corpus.articles if one.key and one.gone(LAST))
    assert gone.key is not None
    receipt = run(naver, tmp_path, addresses=(gone.key.url,))
    assert receipt.outcomes[Outcome.GONE] == 1
    assert ids(tmp_path) == set()


def test_an_address_that_leads_elsewhere_is_a_failure_of_its_own(naver: Replica, tmp_path: Path) -> None:
    """Not a crash of the run, and not an article under a key that is not its own."""
    one, *_, other = [a.key for a in naver.corpus.articles if a.key and a.at(LAST).body and not a.subject.arena]
    assert one
    assert other

    async def elsewhere(ref: ArticleRef, final_url: str) -> Receipt:
        async def fetch(url: str, *, why: str, headers: Mapping[str, str] | None = None) -> RawPage:
            return page(url, b"<html>a front page</html>", final_url=final_url)

        receipt = values.receipt(f"20260102T030405Z-{ref.key.oid}")
        with open_archive(tmp_path) as archive:
            archive.start_run(receipt)
            assess = assess_by(topic())
            async with Pipeline(
                visitor=Visitor(fetch, archive, assess, receipt, Stop(), now=lambda: LAST),
                judge=Judge(archive, assess, lambda pages, *, unread=0: {}, receipt.started_at),
                archive=archive,
                receipt=receipt,
                requests=[],
                on_progress=ignore_progress,
            ) as pipeline:
                await pipeline.add([ref])
            archive.finish_run(values.ended(receipt), {}, [])
        return receipt

    for named, final_url, faults in ((one, "https://n.news.naver.com/", 0), (other, one.url, 1)):
        receipt = asyncio.run(elsewhere(values.ref(named), final_url))
        assert (receipt.outcomes[Outcome.FAILED], receipt.layout_faults) == (1, faults)
    assert ids(tmp_path) == set()


def test_a_run_that_breaks_stores_what_it_had_and_says_so_loudly(
    naver: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Visitor, *_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("flows.pipeline.batches.BATCH", 8)
    parse = Visitor._parse
    count = iter(range(10**6))
    monkeypatch.setattr(Visitor, "_parse", lambda *a: broken(*a) if next(count) > 30 else parse(*a))
    with pytest.raises(ZeroDivisionError):
        run(naver, tmp_path)
    assert len(ids(tmp_path)) > 8
    monkeypatch.undo()
    since = naver.clock.now - topic().limits.lookback
    check(tmp_path, run(naver, tmp_path))
    assert on_topic(naver, since) - archived_ids(tmp_path) == set()


def test_sports_and_entertainment_are_read_as_json(naver: Replica, tmp_path: Path) -> None:
    arenas: dict[str, MadeArticle] = {
        one.subject.arena: one for one in naver.corpus.articles if one.key and one.subject.arena and not one.gone(LAST)
    }
    assert set(arenas) == {"sports", "entertain"}
    receipt = run(naver, tmp_path, addresses=tuple(one.key.url for one in arenas.values() if one.key))
    assert receipt.outcomes[Outcome.NEW] == 2
    assert {str(i) for i in ids(tmp_path, "SELECT title FROM articles")} == {
        one.at(LAST).title for one in arenas.values()
    }


def test_robots_txt_is_obeyed_and_the_api_s_word_is_archived(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = Behaviour(robots=Robots.FORBID)
    receipt = run(naver, tmp_path)
    assert forbidden_fetches(naver.log.entries) == []
    assert receipt.outcomes[Outcome.LISTED] == receipt.finds > 0
    assert receipt.exit_reason is ExitReason.DONE
    assert "robots.txt forbids" in receipt.explanation
    forbidden = [s.source for s in receipt.sources if not s.source.startswith("search_api")]
    assert {s.end for s in receipt.sources if s.source in forbidden} == {SourceEnd.FORBIDDEN}
    assert len(forbidden) > 2
    hosts = {s.reason for s in receipt.sources if s.source in forbidden}
    assert sorted(gap.partition(" was not read: ")[2] for gap in receipt.gaps) == sorted(hosts)
    with open_snapshot(tmp_path) as connection:
        titles = dict(run_query(connection, "SELECT id, title FROM articles WHERE status = 'listed'")[1])
    for id_, title in titles.items():
        made = naver.corpus.find(*str(id_).split("_"))
        assert made is not None
        assert title == made.at(LAST).title
    assert list(tmp_path.rglob("*.md")) == []
    assert "Disallow: /" in receipt.as_json()["robots"]["hosts"][NNEWS]["text"]
    check(tmp_path, receipt)


def test_an_address_that_robots_txt_forbids_is_blocked_and_not_passed_off_as_an_article(
    naver: Replica, tmp_path: Path
) -> None:
    naver.behaviour = Behaviour(robots=Robots.FORBID)
    receipt = run(naver, tmp_path, addresses=("https://n.news.naver.com/mnews/article/001/0000000001",))
    assert (receipt.exit_reason, receipt.outcomes[Outcome.BLOCKED]) == (ExitReason.BLOCKED, 1)
    assert ids(tmp_path) == set()
    check(tmp_path, receipt)


def test_permission_fetches_what_was_only_listed(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = Behaviour(robots=Robots.FORBID)
    listed = run(naver, tmp_path).outcomes[Outcome.LISTED]
    permitted = topic().model_copy(update={"robots": "permitted", "permission": "계약 2026-7호"})
    receipt = run(naver, tmp_path, about=permitted, since=LAST - timedelta(days=3))
    assert (
        receipt.outcomes[Outcome.NEW] + receipt.outcomes[Outcome.DUPLICATE] + receipt.outcomes[Outcome.OFF_TOPIC]
        >= listed
    )
    assert ids(tmp_path, "SELECT id FROM articles WHERE status = 'listed'") == set()
    assert receipt.as_json()["robots"]["permission"] == "계약 2026-7호"
    check(tmp_path, receipt)


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Fault.RENAMED, host=NNEWS, old="dic_area", new="dic_zone"),
        Rule(Fault.NO_DATE, host=NNEWS),
        Rule(Fault.NO_BODY, host=NNEWS),
        Rule(Fault.BLOCK_NOTICE, host=NNEWS, path="/article/"),
        Rule(Fault.NO_LINKS, host="search.naver.com"),
        Rule(Fault.RENAMED, host="news.naver.com", old="type06", new="type99"),
    ],
    ids=lambda rule: f"{rule.fault} {rule.host}",
)
@pytest.mark.every(3)
def test_a_changed_layout_is_never_a_success_and_the_next_run_heals(naver: Replica, tmp_path: Path, rule: Rule) -> None:
    naver.behaviour = Behaviour(rules=(rule,))
    receipt = run(naver, tmp_path)
    assert receipt.exit_reason is ExitReason.LAYOUT_CHANGED
    assert receipt.explanation
    check(tmp_path, receipt)
    naver.behaviour = Behaviour()
    since = LAST - topic().limits.lookback
    naver.clock.set(LAST + timedelta(days=1))
    healed = run(naver, tmp_path)
    assert healed.exit_reason is ExitReason.DONE
    assert on_topic(naver, since) - archived_ids(tmp_path) == set()


def test_faults_on_the_way_lose_nothing(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = Behaviour(
        seed=3, rates={Fault.SERVER_ERROR: 0.1, Fault.CUT: 0.05, Fault.UNAVAILABLE: 0.05, Fault.BAD_GZIP: 0.03}
    )
    since = naver.clock.now - topic().limits.lookback
    for _ in range(4):
        check(tmp_path, run(naver, tmp_path, about=topic(tries=3)))
        naver.clock.advance(timedelta(minutes=20))
    naver.clock.advance(timedelta(days=1))
    naver.behaviour = Behaviour()
    final = run(naver, tmp_path)
    check(tmp_path, final)
    assert on_topic(naver, since) - archived_ids(tmp_path) == set()


def test_a_host_that_says_wait_is_left_alone(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = Behaviour(
        rules=(Rule(Fault.TOO_MANY, host=NNEWS, path="/article/", after=5, times=1, retry_after=60),)
    )
    # One at a time: what is in flight when the host says "wait" was sent before anybody knew.
    receipt = run(naver, tmp_path, about=topic(concurrency=1))
    assert requests_during_pause(naver.log.entries) == []
    assert receipt.outcomes[Outcome.DEFERRED] > 0
    assert receipt.exit_reason is ExitReason.BLOCKED
    check(tmp_path, receipt)
    # The pause outlives the process that was told of it.
    asked = len(naver.log.entries)
    run(naver, tmp_path)
    assert not [entry for entry in naver.log.entries[asked:] if entry.host == NNEWS]


def test_a_refusal_ends_the_run_politely(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = Behaviour(rules=(Rule(Fault.FORBIDDEN, host=NNEWS, path="/article/"),))
    receipt = run(naver, tmp_path, about=topic(concurrency=1, requests_per_second=50.0))
    assert receipt.exit_reason is ExitReason.BLOCKED
    refused = [entry for entry in naver.log.entries if entry.host == NNEWS and "/article/" in entry.target]
    assert len(refused) <= 4
    check(tmp_path, receipt)


def test_pace_and_places_as_the_server_saw_them(naver: Replica, tmp_path: Path) -> None:
    receipt = run(naver, tmp_path, about=topic(requests_per_second=20.0, concurrency=2), most_fetches=20)
    assert receipt.requests > 20
    for host in {entry.host for entry in naver.log.entries}:
        assert max_rate(naver.log.entries, host) <= 21
        assert max_in_flight(naver.log.entries, host) <= 2
    assert all(not entry.cookies for entry in naver.log.entries)


def test_a_limit_defers_the_rest_to_the_next_run(naver: Replica, tmp_path: Path) -> None:
    since = naver.clock.now - topic().limits.lookback
    first = run(naver, tmp_path, most_fetches=10)
    assert first.outcomes[Outcome.DEFERRED] > 0
    naver.clock.advance(timedelta(minutes=20))
    run(naver, tmp_path)
    assert on_topic(naver, since) - archived_ids(tmp_path) == set()


def test_a_stopped_run_is_taken_up_where_it_was_left(naver: Replica, tmp_path: Path) -> None:
    since = naver.clock.now - topic().limits.lookback

    async def stopped_after(number: int) -> Receipt:
        stop = Stop()
        order = CrawlOrder(topic(), tmp_path, naver=naver.url, keys=KEYS)

        def watch(receipt: Receipt) -> None:
            if receipt.requests >= number:
                stop.request(by_hand=True)

        return await crawl(order, stop=stop, on_progress=watch, now=lambda: naver.clock.now)

    for number in (1, 8):
        receipt = asyncio.run(stopped_after(number))
        assert receipt.exit_reason is ExitReason.INTERRUPTED
        check(tmp_path, receipt)
    run(naver, tmp_path)
    assert on_topic(naver, since) - archived_ids(tmp_path) == set()


def test_without_a_key_the_other_sources_are_read_and_the_run_says_so(naver: Replica, tmp_path: Path) -> None:
    receipt = run(naver, tmp_path, keys={})
    assert receipt.exit_reason is ExitReason.PARTLY_FAILED
    assert "key" in receipt.explanation
    assert receipt.outcomes[Outcome.NEW] > 0


def test_a_wrong_key_is_named_and_never_shown(naver: Replica, tmp_path: Path) -> None:
    receipt = run(naver, tmp_path, keys={"openapi": ApiKey("canary-id-5151", "canary-secret-5151")})
    assert {s.end for s in receipt.sources if s.source.startswith("search_api")} == {SourceEnd.NO_KEY}
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"canary-" not in path.read_bytes(), path


def test_nothing_discovered_is_no_success(corpus: Corpus, tmp_path: Path) -> None:
    with Replica(corpus, now=corpus.first - timedelta(days=30)) as naver:
        receipt = run(naver, tmp_path)
    assert receipt.exit_reason is ExitReason.NOTHING_DISCOVERED
    assert "no source named an article" in receipt.explanation


def test_no_network_is_a_clear_failure_that_costs_nothing(naver: Replica, tmp_path: Path) -> None:
    """With a topic that is as patient as the default one. What waits is not tried, and the next crawl has it all."""
    first = run(naver, tmp_path, most_fetches=2)
    assert first.outcomes[Outcome.DEFERRED] > 0
    before = [rows(tmp_path, sql) for sql in _REMEMBERED]
    patient = demo_topic(tries=4, backoff_seconds=10.0, patience_seconds=120.0)
    order = CrawlOrder(patient, tmp_path, naver="http://127.0.0.1:9", keys=KEYS)
    offline = asyncio.run(crawl(order, now=lambda: naver.clock.now))
    assert (offline.exit_reason, offline.requests) == (ExitReason.OFFLINE, 0)
    (gap,) = offline.gaps
    assert gap.endswith(" was not read: no host can be reached: 127.0.0.1: Connection refused")
    assert offline.as_json()["offline"] == "127.0.0.1: Connection refused"
    assert offline.outcomes[Outcome.DEFERRED] == offline.finds
    check(tmp_path, offline)
    assert [rows(tmp_path, sql) for sql in _REMEMBERED] == before
    assert run(naver, tmp_path).outcomes[Outcome.NEW] > 0
    assert on_topic(naver, naver.clock.now - topic().limits.lookback) - archived_ids(tmp_path) == set()


_REMEMBERED = (
    "SELECT id, tries FROM frontier ORDER BY ALL",
    "FROM cursors ORDER BY ALL",
    "SELECT source, since, until, state FROM coverage WHERE state = 'closed' ORDER BY ALL",
)


def test_the_cap_of_the_search_api_is_recognised_and_named(tmp_path: Path) -> None:
    crowded = make_corpus(5, articles=4000, presses=10, days=3, last=LAST)
    only_api = topic().model_copy(update={"sources": (topic().sources[0],), "queries": ("AI",)})
    with Replica(crowded) as naver:
        receipt = run(naver, tmp_path, about=only_api, most_fetches=1)
    (source,) = receipt.sources
    assert (source.end, source.items) == (SourceEnd.CAP, 1000)
    assert "nothing between" in source.reason


def test_memory_of_the_keys_met_does_not_depend_on_the_sources_order(naver: Replica, tmp_path: Path) -> None:
    turned = topic().model_copy(update={"sources": tuple(reversed(topic().sources))})
    run(naver, tmp_path / "one")
    run(naver, tmp_path / "other", about=turned)
    assert archived_ids(tmp_path / "one") == archived_ids(tmp_path / "other")


def test_a_crawl_since_a_later_day_does_not_move_the_cursor_past_the_gap(corpus: Corpus, tmp_path: Path) -> None:
    start = LAST - timedelta(days=4)
    with Replica(corpus, now=start) as naver:
        run(naver, tmp_path)
        naver.clock.set(LAST)
        run(naver, tmp_path, since=LAST - timedelta(days=1))
        skipped = on_topic(naver, start + timedelta(hours=6)) - archived_ids(tmp_path)
        assert skipped  # nobody asked for those days yet
        run(naver, tmp_path)
        assert on_topic(naver, start + timedelta(hours=6)) - archived_ids(tmp_path) == set()


def test_what_is_stored_is_shown_while_the_next_batch_is_fetched(
    naver: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a polite pace a batch takes minutes."""
    monkeypatch.setattr("flows.runs.crawl.BATCH", 8)
    monkeypatch.setattr("flows.pipeline.batches.BATCH", 8)
    monkeypatch.setattr("storage.database.publisher.PUBLISH_EVERY", 1.5)
    monkeypatch.setattr("flows.runs.pipeline_run.PUBLISH_EVERY", 0.4)
    plain = [
        one.key
        for one in naver.corpus.articles
        if one.key and not one.subject.arena and not one.gone_at and one.copy_of is None and len(one.versions) == 1
    ]
    slow = Rule(Fault.SLOW, path=plain[15].aid, seconds=6.0)
    naver.behaviour = Behaviour(rules=(slow,))
    crawling = threading.Thread(
        target=run, args=(naver, tmp_path), kwargs={"addresses": [key.url for key in plain[:16]]}
    )
    crawling.start()
    seen = set()
    while crawling.is_alive():
        if (tmp_path / "archive.duckdb").exists():
            seen.add(len(ids(tmp_path)))
        time.sleep(0.1)
    crawling.join()
    assert seen >= {0, 8}
    assert len(ids(tmp_path)) == 16
