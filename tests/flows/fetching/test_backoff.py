"""Transient faults: retried after a pause that applies to the whole host and survives the process."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.fetching.backoff import LONGEST_PAUSE, Backoff, full_jitter, retry_after_seconds
from schemas.errors import StorageFault
from schemas.page import Fault, FetchFault, RawPage
from storage.state.backoff import JsonBackoffStore
from tests.support.servers.http import (
    BODY,
    NEWS,
    PAGE,
    SPORTS,
    HandClock,
    Store,
    Widest,
    harness,
    in_loop,
    redirect,
    reply,
)

PATH = "/mnews/article/001/0000000001"
NOON = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)


def busy(after: str | None = None, status: str = "429 Too Many Requests") -> bytes:
    return reply(b"", status, [] if after is None else [f"Retry-After: {after}"])


# --- one fetch -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["429 Slow", "500 Oops", "502 Bad", "503 Busy", "504 Late"])
@in_loop
async def test_a_transient_fault_is_retried(status: str) -> None:
    async with harness({PATH: [busy(status=status), busy(status=status), reply()]}) as w:
        assert (await w.page()).content == BODY
        assert [row.attempt for row in w.ledger if row.why == "article"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("status", "fault"), [("429 Slow", Fault.BLOCKED), ("500 Oops", Fault.UNAVAILABLE), ("503 Busy", Fault.UNAVAILABLE)]
)
@in_loop
async def test_when_the_tries_are_used_up(status: str, fault: Fault) -> None:
    async with harness({PATH: busy(status=status)}, tries=4) as w:
        got = await w.client.fetch(PAGE, why="article")
        assert len(w.server.articles) == 4
    assert isinstance(got, FetchFault)
    assert (got.fault, got.status) == (fault, int(status[:3]))
    assert "try 4" in got.detail


@in_loop
async def test_redirects_share_the_tries() -> None:
    async with harness({PATH: [busy(), redirect("/b")], "/b": [busy(), busy(), reply()]}, tries=3) as w:
        got = await w.client.fetch(PAGE, why="article")
        assert len(w.server.articles) == 4
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.BLOCKED


@pytest.mark.parametrize("form", ["90", format_datetime(NOON + timedelta(seconds=90), usegmt=True)])
@in_loop
async def test_both_forms_of_retry_after_are_waited_for(form: str) -> None:
    clock = HandClock()
    async with harness({PATH: [busy(form), reply()]}, clock=clock.clock(), patience_seconds=120) as w:
        await w.page()
    first, second = (row.started_at for row in w.ledger if row.why == "article")
    assert second - first >= timedelta(seconds=90)
    assert w.store.pauses[NEWS] == first + timedelta(seconds=90)


@in_loop
async def test_our_own_pause_applies_if_it_is_longer() -> None:
    clock = HandClock()
    slow = {"backoff_seconds": 50, "max_backoff_seconds": 50, "rng": random.Random(3)}
    async with harness({PATH: [busy("1"), reply()]}, clock=clock.clock(), **slow) as w:
        await w.page()
    assert clock.slept == pytest.approx([random.Random(3).uniform(0, 50)])
    assert clock.slept[0] > 1


@in_loop
async def test_pauses_double_until_the_longest() -> None:
    clock = HandClock()
    growing = {"backoff_seconds": 2, "max_backoff_seconds": 10, "tries": 6, "rng": Widest()}
    async with harness({PATH: [*[busy()] * 5, reply(), busy(), reply()]}, clock=clock.clock(), **growing) as w:
        await w.page()
        await w.page()
    assert clock.slept == pytest.approx([2, 4, 8, 10, 10, 2]), "the streak starts over after a success"


# --- the host --------------------------------------------------------------------------------------------------------


@in_loop
async def test_the_pause_holds_for_every_request_of_the_host_and_for_no_other() -> None:
    pages = {f"/{n}": reply() for n in range(4)}
    pause = {"backoff_seconds": 0.4, "max_backoff_seconds": 0.4, "rng": Widest()}
    async with harness({**pages, PATH: [busy(), reply()], SPORTS + "/x": reply()}, **pause) as w:
        await w.page(f"https://{NEWS}/0")
        waiting = asyncio.create_task(w.page())
        await w.store.saved.wait()
        others = [asyncio.create_task(w.page(f"https://{NEWS}/{n}")) for n in range(1, 4)]
        await w.page(f"https://{SPORTS}/x")
        await asyncio.gather(waiting, *others)
    at = {seen.target: seen.at for seen in w.server.seen}
    refused = next(seen.at for seen in w.server.seen if seen.target == PATH)
    assert min(at[f"/{n}"] for n in (1, 2, 3)) >= refused + 0.39
    assert at["/x"] < refused + 0.39


@in_loop
async def test_a_pause_beyond_the_patience_ends_the_fetch_and_all_others_of_the_host_at_once() -> None:
    clock = HandClock()
    async with harness({PATH: busy("3600"), SPORTS + "/x": reply()}, clock=clock.clock(), patience_seconds=60) as w:
        got = [await w.client.fetch(url, why="article") for url in (PAGE, f"https://{NEWS}/2", PAGE)]
        assert len(w.server.articles) == 1, "no further request was sent"
        assert (await w.page(f"https://{SPORTS}/x")).status == 200
        clock.at += 3600
        assert isinstance(await w.client.fetch(f"https://{NEWS}/2", why="article"), RawPage)
    assert clock.slept == []
    for fault in got:
        assert isinstance(fault, FetchFault)
        assert (fault.fault, fault.retry_at) == (Fault.BACKING_OFF, NOON + timedelta(hours=1))
        assert NEWS in fault.detail


@in_loop
async def test_a_pause_survives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "state" / "backoff.json"
    for expected in ([PATH], []):
        async with harness({PATH: busy("3600")}, backoff=JsonBackoffStore(file), patience_seconds=60) as w:
            got = await w.client.fetch(PAGE, why="article")
            assert isinstance(got, FetchFault)
            assert got.fault is Fault.BACKING_OFF
            assert [seen.target for seen in w.server.articles] == expected
    assert set(JsonBackoffStore(file).load()) == {NEWS}


@in_loop
async def test_a_pause_is_not_prolonged_by_a_clock_set_back() -> None:
    clock = HandClock()
    async with harness({PATH: [busy("50"), reply()]}, clock=clock.clock(), patience_seconds=60) as w:
        fetch = asyncio.create_task(w.page())
        await w.store.saved.wait()
        clock.day -= timedelta(days=400)
        await fetch
    assert sum(clock.slept) == pytest.approx(50)


@in_loop
async def test_requests_that_fail_together_are_one_fault_of_the_host() -> None:
    store, clock = Store(), HandClock()
    backoff = Backoff(store, first=1, longest=1000, clock=clock.clock(), rng=random.Random(1))
    sent = clock.at
    for _ in range(20):
        backoff.failed(NEWS, sent, None)
    assert 0 < backoff.remaining(NEWS) <= 1, "20 doublings would be days"
    backoff.failed(NEWS, sent, 30.0)
    assert backoff.remaining(NEWS) == pytest.approx(30)
    backoff.failed(NEWS, sent, 5.0)
    assert backoff.remaining(NEWS) == pytest.approx(30), "a pause is never shortened"


# --- pure ------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 10_000), st.floats(0, 3600), st.floats(0, 86_400), st.integers())
def test_jitter_stays_within_its_bounds(streak: int, first: float, longest: float, seed: int) -> None:
    pause = full_jitter(streak, first=first, longest=longest, rng=random.Random(seed))
    assert 0 <= pause <= min(longest, first * 2.0 ** min(streak - 1, 900))


def test_jitter_is_full() -> None:
    rng = random.Random(0)
    drawn = sorted(full_jitter(3, first=1, longest=99, rng=rng) for _ in range(500))
    assert drawn[0] < 0.2
    assert drawn[-1] > 3.8
    assert max(b - a for a, b in pairwise(drawn)) < 0.2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("  120 ", 120),
        ("0", 0),
        ("-5", None),
        ("1.5", None),
        ("1e9", None),
        ("١٢", None),  # digits, but not ASCII
        ("soon", None),
        ("9" * 5000, LONGEST_PAUSE),
        ("999999999", LONGEST_PAUSE),
        ("Thu, 01 Oct 2026 03:01:00 GMT", 60),
        ("Thursday, 01-Oct-26 03:01:00 GMT", 60),
        ("Thu Oct  1 03:01:00 2026", 60),
        ("Thu, 01 Oct 2026 12:01:00 +0900", 60),
        ("Thu, 01 Oct 2020 03:01:00 GMT", 0),
        ("Thu, 01 Oct 9998 03:01:00 GMT", LONGEST_PAUSE),
        ("Thu, 99 Oct 2026 03:01:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOON) == seconds


@given(st.text(max_size=60))
def test_retry_after_never_raises_and_never_exceeds_a_day(value: str) -> None:
    seconds = retry_after_seconds(value, NOON)
    assert seconds is None or 0 <= seconds <= LONGEST_PAUSE


# --- the file --------------------------------------------------------------------------------------------------------


def test_pauses_are_kept_by_host_and_past_ones_dropped(tmp_path: Path) -> None:
    store = JsonBackoffStore(tmp_path / "backoff.json")
    now = datetime.now(UTC)
    assert store.load() == {}
    store.save("a", now - timedelta(hours=1))
    store.save("b", now + timedelta(hours=1))
    store.save("b", now + timedelta(hours=2))
    assert store.load() == {"b": now + timedelta(hours=2)}
    assert [file.name for file in tmp_path.iterdir()] == ["backoff.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"a": 1}', '{"a": "soon"}', '{"a": "2026-10-01T00:00:00"}', "\xff\xfe"]
)
def test_a_damaged_file_counts_as_empty_with_a_warning_and_is_rewritten(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "backoff.json"
    file.write_text(text, encoding="latin-1")
    store = JsonBackoffStore(file)
    assert store.load() == {}
    assert str(file) in caplog.text
    until = datetime.now(UTC) + timedelta(hours=1)
    store.save("a", until)
    assert store.load() == {"a": until}


def test_a_file_that_cannot_be_read_or_written_is_a_storage_fault(tmp_path: Path) -> None:
    with pytest.raises(StorageFault, match="cannot be read"):
        JsonBackoffStore(tmp_path).load()
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageFault, match="cannot be"):
        JsonBackoffStore(tmp_path / "file" / "backoff.json").save("a", datetime.now(UTC))


def test_a_stored_pause_far_in_the_future_is_cut_to_a_day() -> None:
    store, clock = Store(), HandClock()
    store.save(NEWS, datetime(9000, 1, 1, tzinfo=UTC))
    backoff = Backoff(store, first=1, longest=10, clock=clock.clock())
    backoff.restore()
    assert backoff.remaining(NEWS) == LONGEST_PAUSE
