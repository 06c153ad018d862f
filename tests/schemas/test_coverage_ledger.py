"""The coverage ledger, compared with a naive ledger that stores every minute."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.coverage import Span, Stretch, WindowRead, after, minus

BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
MINUTES = 60


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def span(since: int, until: int) -> Span:
    return Span(at(since), at(until))


@st.composite
def spans(draw: st.DrawFn) -> Span:
    since = draw(st.integers(0, MINUTES - 1))
    return span(since, draw(st.integers(since + 1, MINUTES)))


@st.composite
def readings(draw: st.DrawFn) -> WindowRead:
    whole = draw(spans())
    parts = [Span(max(part.since, whole.since), min(part.until, whole.until)) for part in draw(st.lists(spans()))]
    unread = tuple(part for part in parts if part.since < part.until)
    reason = draw(st.sampled_from(["blocked", "1,000 results shown"])) if unread else ""
    return WindowRead("s", whole.since, whole.until, unread, reason)


def minutes_of(ledger: Sequence[Stretch]) -> dict[int, str | None]:
    found: dict[int, str | None] = {}
    for row in ledger:
        for minute in range(MINUTES):
            if row.since <= at(minute) < row.until:
                assert minute not in found, "stretches overlap"
                found[minute] = row.reason
    return found


def naively(minutes: dict[int, str | None], read: WindowRead) -> None:
    """The same, minute by minute: a gap never replaces what was read."""
    for minute in range(MINUTES):
        if not read.since <= at(minute) < read.until:
            continue
        if not any(part.since <= at(minute) < part.until for part in read.unread):
            minutes[minute] = None
        elif minute not in minutes or minutes[minute] is not None:
            minutes[minute] = read.reason


@given(st.lists(readings(), max_size=12))
def test_every_minute_has_the_state_of_the_readings(made: list[WindowRead]) -> None:
    ledger: list[Stretch] = []
    minutes: dict[int, str | None] = {}
    for read in made:
        ledger = after(ledger, read)
        naively(minutes, read)
    assert minutes_of(ledger) == minutes


@given(st.lists(readings(), max_size=12))
def test_adjacent_stretches_with_the_same_state_are_merged(made: list[WindowRead]) -> None:
    ledger: list[Stretch] = []
    for read in made:
        ledger = after(ledger, read)
    assert ledger == sorted(ledger, key=lambda row: row.since)
    for one, other in itertools.pairwise(ledger):
        assert one.until < other.since or one.reason != other.reason


@given(st.lists(readings(), max_size=8), readings())
def test_repeating_a_reading_changes_nothing(made: list[WindowRead], read: WindowRead) -> None:
    ledger: list[Stretch] = []
    for earlier in made:
        ledger = after(ledger, earlier)
    once = after(ledger, read)
    assert after(once, read) == once


@given(st.lists(spans()), st.lists(spans()))
def test_a_difference_is_in_the_one_and_not_in_the_other(ours: list[Span], theirs: list[Span]) -> None:
    left = minus(ours, theirs)
    for minute in range(MINUTES):

        def within(parts: Sequence[Span], minute: int = minute) -> bool:
            return any(part.since <= at(minute) < part.until for part in parts)

        assert within(left) == (within(ours) and not within(theirs))


def test_a_source_read_every_quarter_of_an_hour_has_one_row() -> None:
    ledger: list[Stretch] = []
    for quarter in range(0, 3 * 24 * 60, 15):
        ledger = after(ledger, WindowRead("s", at(quarter - 120), at(quarter)))
    assert ledger == [Stretch(at(-120), at(3 * 24 * 60 - 15))]
