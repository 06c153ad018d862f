"""Fetchers without an archive, and the archive that takes in what they fetched."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.pipeline.stop import Stop
from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.pages.notices import Robots
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl, refs_of_addresses
from flows.runs.fetch import FetchOrder, FetchReport, fetch
from flows.runs.take_in import TakeInOrder, take_in
from schemas.article import Outcome
from schemas.errors import ArchiveBusy, BadInput, ObjectStoreUnavailable
from schemas.receipt import ExitReason, Receipt
from schemas.segment import Visited
from storage.inbox.chunks import read_chunk
from storage.inbox.inbox import Inbox
from storage.inbox.progress import Progress, save_progress
from storage.inbox.spool import Spool
from storage.integrity.repair import rebuild, verify_archive
from storage.objects.store import ObjectStore, open_store
from storage.state.lease import lease
from tests.programs.torture import state_of
from tests.support.archives import rows
from tests.support.command import seogo
from tests.support.histories.worlds import disable_syncs
from tests.support.paths import DEMO_TOPIC
from tests.support.topics import KEYS, demo_topic

NNEWS = "n.news.naver.com"
DAYS = timedelta(days=3)


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
    disable_syncs(monkeypatch)
    monkeypatch.setattr(Spool, "most_visited", 10)


def fetched(
    inbox: Inbox, naver: Replica, state: Path, addresses: Sequence[str], fetcher: str = "seoul-1", **limits: Any
) -> FetchReport:
    refs = refs_of_addresses(addresses, datetime.now(UTC))
    return asyncio.run(fetch(FetchOrder(demo_topic(**limits), inbox, fetcher, state, refs, naver.url)))


def taken_in(inbox: Inbox, root: Path, *skip: tuple[str, int]) -> Receipt:
    return asyncio.run(take_in(TakeInOrder(demo_topic(), root, inbox=inbox, skip=skip)))


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
    assert state_of(tmp_path / "archive") == state_of(tmp_path / "alone")
    assert verify_archive(tmp_path / "archive").faults == []
    # Every request is in the ledger, with robots.txt of each fetcher.
    ledger = rows(tmp_path / "archive", "SELECT count(*) FROM requests")
    assert ledger == [(sum(report.requests for report in reports),)]


def taken_order(tmp_path: Path) -> list[str]:
    """The addresses in the order in which the archive took them in."""
    sql = "SELECT url FROM frontier JOIN finds USING (id) ORDER BY finds.rowid"
    return [str(url) for (url,) in rows(tmp_path / "archive", sql)]


# -- fetching


def test_a_fetcher_goes_on_where_it_was_and_begins_anew_when_it_is_done(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    asked = addresses[:25]

    def stopped_after(pages: int) -> FetchReport:
        async def run() -> FetchReport:
            stop, refs = Stop(), refs_of_addresses(asked, datetime.now(UTC))
            order = FetchOrder(demo_topic(concurrency=1), inbox, "seoul-1", tmp_path, refs, naver.url)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(Spool, "append_visited", stopping(stop, pages))
                return await fetch(order, stop=stop)

        return asyncio.run(run())

    first = stopped_after(12)
    assert first.exit_reason is ExitReason.INTERRUPTED
    assert 10 <= first.done < 25
    second = fetched(inbox, naver, tmp_path, asked)
    assert (second.exit_reason, second.done, second.visited) == (ExitReason.DONE, 25, 25 - first.done)
    assert second.segments == [f"inbox/seoul-1/{number:06}.warc.gz" for number in range(1, len(second.segments) + 1)]
    again = fetched(inbox, naver, tmp_path, asked)
    assert again.visited == 25


def stopping(stop: Stop, visited: int) -> Callable[[Spool, Visited], None]:
    """`append_visited`, which stops the fetcher by hand after so many addresses."""
    real = Spool.append_visited

    def append(spool: Spool, one: Visited) -> None:
        nonlocal visited
        real(spool, one)
        visited -= 1
        if visited == 0:
            stop.request(by_hand=True)

    return append


@pytest.mark.parametrize("torn", [b"", b"\x1f\x8b\x08\x00torn"])
def test_what_a_killed_fetcher_had_spooled_is_not_fetched_again(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path, torn: bytes
) -> None:
    asked = addresses[:8]
    with dying_after(records=9):
        fetched(inbox, naver, tmp_path, asked, concurrency=1)
    (left,) = (tmp_path / "spool").glob("*.open")
    with left.open("ab") as file:
        file.write(torn)
    before = targets(naver)
    report = fetched(inbox, naver, tmp_path, asked)
    assert (report.exit_reason, report.done) == (ExitReason.DONE, 8)
    # Only what was in flight when it was killed is fetched twice.
    assert len(set(before) & set(targets(naver)[len(before) :])) <= 1
    receipt = taken_in(inbox, tmp_path / "archive")
    assert receipt.finds == 8
    assert receipt.outcomes[Outcome.NEW] + receipt.outcomes[Outcome.DUPLICATE] + receipt.outcomes[Outcome.GONE] == 8


@contextmanager
def dying_after(records: int) -> Iterator[None]:
    """A fetcher that dies in this block, without sealing anything, when its spool has so many records."""

    class Died(BaseException):
        pass

    def append(spool: Spool, now: datetime, data: bytes) -> None:
        nonlocal records
        if records == 0:
            raise Died
        records -= 1
        real(spool, now, data)

    real = Spool._append
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Spool, "_append", append)
        with pytest.raises(Died):
            yield


def targets(naver: Replica) -> list[str]:
    return [entry.target for entry in naver.log.entries if entry.host == NNEWS and "/article/" in entry.target]


def test_robots_txt_and_refusals_hold_for_fetchers(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    naver.behaviour = Behaviour(robots_by_host={NNEWS: Robots.FORBID})
    forbidden = fetched(inbox, naver, tmp_path / "one", addresses[:3])
    assert (forbidden.pages, forbidden.faults) == (0, {"forbidden": 3})
    assert not any(entry.forbidden for entry in naver.log.entries)
    naver.behaviour = Behaviour(rules=(Rule(Fault.FORBIDDEN, host=NNEWS),))
    refused = fetched(inbox, naver, tmp_path / "two", addresses[3:30], "busan-1", concurrency=1)
    assert refused.exit_reason is ExitReason.BLOCKED
    assert 3 <= refused.visited < 10
    receipt = taken_in(inbox, tmp_path / "archive")
    assert receipt.exit_reason is ExitReason.BLOCKED
    assert receipt.outcomes[Outcome.BLOCKED] == 3 + refused.visited


def test_a_store_that_is_away_keeps_no_fetcher_from_fetching(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ObjectStoreUnavailable("file:///store cannot be reached. Try again later.")

    with monkeypatch.context() as broken:
        broken.setattr(ObjectStore, "create", away)
        report = fetched(inbox, naver, tmp_path, addresses[:25])
    assert (report.exit_reason, report.done, report.waiting) == (ExitReason.PARTLY_FAILED, 25, 3)
    assert "cannot be reached" in report.explanation
    before = len(naver.log.entries)
    report = fetched(inbox, naver, tmp_path, addresses[:25])
    assert (report.exit_reason, report.visited, report.waiting) == (ExitReason.DONE, 0, 0)
    assert len(naver.log.entries) == before
    assert taken_in(inbox, tmp_path / "archive").finds == 25


def test_a_segment_that_is_in_the_store_already_is_put_once_and_another_one_is_refused(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:  # after the upload, before the fetcher notes it
        killed.setattr("flows.runs.fetch.save_progress", raise_once_sent)
        with pytest.raises(KeyboardInterrupt):
            fetched(inbox, naver, tmp_path / "one", addresses[:4])
    assert segment_path(inbox, 1).exists()
    assert fetched(inbox, naver, tmp_path / "one", addresses[:4]).segments == ["inbox/seoul-1/000001.warc.gz"]
    monkeypatch.setattr(Inbox, "newest", lambda *_: 0)  # two begin at once with one name
    with pytest.raises(BadInput, match="two fetchers use the name 'seoul-1'"):
        fetched(inbox, naver, tmp_path / "two", addresses[4:6])


def raise_once_sent(folder: Path, progress: Progress) -> None:
    if progress.newest:
        raise KeyboardInterrupt
    save_progress(folder, progress)


def test_a_fetcher_that_lost_its_directory_goes_on_counting(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    fetched(inbox, naver, tmp_path / "one", addresses[:12])
    taken_in(inbox, tmp_path / "archive")
    assert segment_path(inbox, 2).exists()
    assert not segment_path(inbox, 1).exists()
    assert fetched(inbox, naver, tmp_path / "new", addresses[12:14]).segments == ["inbox/seoul-1/000003.warc.gz"]
    with pytest.raises(BadInput, match="is the directory of the fetcher 'seoul-1'"):
        fetched(inbox, naver, tmp_path / "new", addresses[:1], "busan-1")
    with pytest.raises(BadInput, match="is not the name of a fetcher"):
        fetched(inbox, naver, tmp_path / "other", addresses[:1], "../seoul")
    with lease(tmp_path / "new", now=datetime.now(UTC)), pytest.raises(ArchiveBusy):
        fetched(inbox, naver, tmp_path / "new", addresses[:1])


# -- taking in


def test_a_missing_segment_holds_up_its_own_fetcher_only(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    fetched(inbox, naver, tmp_path / "one", addresses[:30])
    fetched(inbox, naver, tmp_path / "two", addresses[30:35], "busan-1")
    late = segment_path(inbox, 2).rename(tmp_path / "late")
    receipt = taken_in(inbox, tmp_path / "archive")
    assert (receipt.exit_reason, receipt.finds) == (ExitReason.PARTLY_FAILED, 15)
    assert receipt.explanation == "inbox/seoul-1/000002.warc.gz is missing; later segments that wait: 1"
    assert "busan-1: taken in up to segment 1" in receipt.notes
    late.rename(segment_path(inbox, 2))
    receipt = taken_in(inbox, tmp_path / "archive")
    assert (receipt.exit_reason, receipt.finds) == (ExitReason.DONE, 20)
    receipt = taken_in(inbox, tmp_path / "archive")
    assert (receipt.exit_reason, receipt.explanation) == (ExitReason.NOTHING_NEW, "no segment waits to be taken in")
    taken = "SELECT fetcher, number, outcome, addresses FROM segments ORDER BY 1, 2"
    assert rows(tmp_path / "archive", taken) == [
        ("busan-1", 1, "taken", 5),
        *(("seoul-1", number, "taken", 10) for number in (1, 2, 3)),
    ]
    assert verify_archive(tmp_path / "archive").faults == []


def test_a_segment_is_given_up_by_order_only(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    fetched(inbox, naver, tmp_path / "one", addresses[:30])
    segment_path(inbox, 1).unlink()
    with pytest.raises(BadInput, match="Only the next one can be skipped"):
        taken_in(inbox, tmp_path / "archive", ("seoul-1", 2))
    receipt = taken_in(inbox, tmp_path / "archive", ("seoul-1", 1))
    assert (receipt.exit_reason, receipt.finds) == (ExitReason.DONE, 20)
    assert "inbox/seoul-1/000001.warc.gz was skipped, by order" in receipt.notes
    outcomes = rows(tmp_path / "archive", "SELECT number, outcome FROM segments ORDER BY number")
    assert outcomes == [(1, "skipped"), (2, "taken"), (3, "taken")]


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def test_a_segment_that_cannot_be_read_waits(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    fetched(inbox, naver, tmp_path / "one", addresses[:3])
    whole = segment_path(inbox, 1).read_bytes()
    segment_path(inbox, 1).write_bytes(cut(whole))
    receipt = taken_in(inbox, tmp_path / "archive")
    assert (receipt.exit_reason, receipt.finds) == (ExitReason.PARTLY_FAILED, 0)
    assert "inbox/seoul-1/000001.warc.gz is damaged: " in receipt.explanation
    segment_path(inbox, 1).write_bytes(whole)
    assert taken_in(inbox, tmp_path / "archive").finds == 3


def test_the_store_of_another_archive_is_refused(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    fetched(inbox, naver, tmp_path / "one", addresses[:3])
    taken_in(inbox, tmp_path / "archive")
    with pytest.raises(BadInput, match="is the store of another archive"):
        taken_in(inbox, tmp_path / "other")
    assert taken_in(inbox, tmp_path / "archive").exit_reason is ExitReason.NOTHING_NEW


def test_a_segment_for_another_archive_waits(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    other = Inbox(open_store(f"file://{tmp_path}/other-store"))
    taken_in(other, tmp_path / "other")
    fetched(other, naver, tmp_path / "two", addresses[:2])
    fetched(inbox, naver, tmp_path / "one", addresses[:2])
    shutil.copy(segment_path(other, 1), segment_path(inbox, 1))
    receipt = taken_in(inbox, tmp_path / "archive")
    assert (receipt.exit_reason, receipt.finds) == (ExitReason.PARTLY_FAILED, 0)
    assert f"is for another archive ({other.archive()})" in receipt.explanation
    assert rows(tmp_path / "archive", "FROM segments") == rows(tmp_path / "archive", "FROM articles") == []


def test_addresses_fetched_twice_and_answers_that_come_late_change_nothing(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    late = fetched(inbox, naver, tmp_path / "one", addresses[:5])
    moved = segment_path(inbox, 1).rename(tmp_path / "late")
    fetched(inbox, naver, tmp_path / "two", addresses[:5], "busan-1")
    fetched(inbox, naver, tmp_path / "three", addresses[:7], "daegu-1")
    first = taken_in(inbox, tmp_path / "archive")
    assert first.finds == 7
    assert "inbox/daegu-1/000001.warc.gz: addresses fetched twice: 5; the first answer of the run counts" in first.notes
    moved.rename(segment_path(inbox, 1))
    before = state_of(tmp_path / "archive")
    second = taken_in(inbox, tmp_path / "archive")
    assert second.outcomes[Outcome.UNCHANGED] == late.visited
    assert "inbox/seoul-1/000001.warc.gz: answers that came late: 5; the archive has newer ones" in second.notes
    assert state_of(tmp_path / "archive") == before
    sql = "SELECT fetcher, repeated, late FROM segments ORDER BY 1"
    assert rows(tmp_path / "archive", sql) == [("busan-1", 0, 0), ("daegu-1", 5, 0), ("seoul-1", 0, 5)]


def test_another_segment_under_a_number_that_was_taken_in_is_told(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    fetched(inbox, naver, tmp_path / "one", addresses[:3])
    taken_in(inbox, tmp_path / "archive")
    segment_path(inbox, 1).unlink()  # by a person: the fetcher then counts from the beginning
    fetched(inbox, naver, tmp_path / "new", addresses[3:9])
    receipt = taken_in(inbox, tmp_path / "archive")
    assert receipt.exit_reason is ExitReason.PARTLY_FAILED
    assert "another segment than inbox/seoul-1/000001.warc.gz was taken in under this number" in receipt.explanation
    assert segment_path(inbox, 1).exists()


def test_the_archive_needs_no_segment_that_it_has_taken_in(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    fetched(inbox, naver, tmp_path / "one", addresses[:12])
    taken_in(inbox, root)
    shutil.rmtree(Path("/", inbox.store.address.prefix))
    before = state_of(root), rows(root, "FROM segments ORDER BY ALL")
    (root / "state" / "writer.duckdb").unlink()
    rebuild(root)
    assert (state_of(root), rows(root, "FROM segments ORDER BY ALL")) == before
    assert verify_archive(root).faults == []


# -- handing out


def test_what_was_handed_out_and_never_came_back_is_handed_out_again(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    root, start = tmp_path / "archive", datetime.now(UTC)

    def handed(after: timedelta) -> Receipt:
        order = CrawlOrder(demo_topic(), root, naver=naver.url, keys=KEYS, hand_out=inbox, since=start - DAYS)
        return asyncio.run(crawl(order, now=lambda: start + after))

    first = handed(timedelta(0))
    assert first.exit_reason is ExitReason.DONE
    (chunk,) = first.handed_out
    assert not targets(naver)  # the writer fetches no article itself
    again = handed(timedelta(minutes=20))
    assert again.handed_out == []  # nobody had the time to fetch them
    (lost,) = handed(timedelta(minutes=70)).handed_out
    assert {ref.key for ref in read_chunk(inbox.store, lost)} == {ref.key for ref in read_chunk(inbox.store, chunk)}
    refs = read_chunk(inbox.store, lost)
    order = FetchOrder(demo_topic(), inbox, "seoul-1", tmp_path / "one", refs, naver.url, chunk=lost)
    assert asyncio.run(fetch(order)).done == len(refs) == first.outcomes[Outcome.DEFERRED]
    assert asyncio.run(fetch(order)).visited == 0  # a chunk is fetched once, however often it is ordered
    assert taken_in(inbox, root).finds == len(refs)
    assert rows(root, "SELECT count(*) FROM frontier WHERE state = 'deferred'") == [(0,)]
    assert handed(timedelta(minutes=80)).handed_out == []
    with pytest.raises(BadInput, match="has no chunk"):
        read_chunk(inbox.store, "none")


def test_a_machine_that_dies_gives_its_chunk_back_and_changes_nothing_when_it_returns(
    inbox: Inbox, naver: Replica, tmp_path: Path
) -> None:
    root, start = tmp_path / "archive", datetime.now(UTC)

    def handed(after: timedelta) -> str:
        order = CrawlOrder(demo_topic(), root, naver=naver.url, keys=KEYS, hand_out=inbox, since=start - DAYS)
        (chunk,) = asyncio.run(crawl(order, now=lambda: start + after)).handed_out
        return chunk

    def fetch_chunk(name: str, chunk: str) -> FetchReport:
        refs = read_chunk(inbox.store, chunk)
        order = FetchOrder(demo_topic(), inbox, name, tmp_path / name, refs, naver.url, chunk=chunk)
        return asyncio.run(fetch(order))

    first = handed(timedelta(0))
    urls = [ref.url for ref in read_chunk(inbox.store, first)]
    with dying_after(records=9):
        fetch_chunk("seoul-1", first)
    assert fetch_chunk("busan-1", handed(timedelta(minutes=70))).done == len(urls)
    assert taken_in(inbox, root).finds == len(urls)
    before = state_of(root)
    assert fetched(inbox, naver, tmp_path / "seoul-1", urls[:1]).done == 1  # its next order, with an old segment
    returned = taken_in(inbox, root)
    (late,) = [note for note in returned.notes if note.startswith("inbox/seoul-1/000001.warc.gz:")]
    assert late.endswith("; the archive has newer ones")
    assert state_of(root) == before


def test_the_commands_end_with_their_exit_codes(
    inbox: Inbox, naver: Replica, addresses: list[str], tmp_path: Path
) -> None:
    env: dict[str, str | Path] = {
        "SEOGO_NAVER": naver.url,
        "SEOGO_TOPIC": DEMO_TOPIC,
        "SEOGO_STORE": str(inbox.store.address),
    }
    common = ("--fetcher", "seoul-1", "--state", tmp_path / "one")
    ran = seogo("fetch", "-", *common, "--json", stdin="\n".join(addresses[:3]).encode(), env=env)
    assert (ran.code, ran.json["done"], ran.json["segments"]) == (0, 3, ["inbox/seoul-1/000001.warc.gz"])
    archive = ("--archive", tmp_path / "archive")
    ran = seogo("take-in", *archive, "--json", env=env)
    assert (ran.code, ran.json["finds"]) == (0, 3)
    assert seogo("take-in", *archive, "--skip", "seoul-1/7", env=env).code == 2
    assert seogo("take-in", *archive, "--skip", "seoul-1", env=env).complaint.startswith("seogo: --skip 'seoul-1'")
    assert "needs either a FILE" in seogo("fetch", *common, env=env).complaint
    segment_path(inbox, 3).write_bytes(b"")
    ran = seogo("take-in", *archive, env=env)
    assert (ran.code, "inbox/seoul-1/000002.warc.gz is missing" in ran.out) == (6, True)
    ran = seogo("status", *archive, "--json", env=env)
    why = "inbox/seoul-1/000002.warc.gz is missing; later segments that wait: 1"
    assert ran.json["held_segments"] == {"seoul-1": why}
    assert "SEOGO_STORE is not set" in seogo("crawl", "--hand-out", env={**env, "SEOGO_STORE": ""}).complaint
