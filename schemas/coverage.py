"""The coverage ledger: which times of a source have been read, and which are gaps, with the reason. Pure.

A window of a source is closed if it was read completely: back to what had been read before, or to the end of what the
source offers. What was requested but could not be read is a gap until a later reading covers it. The stretches of one
source do not overlap. Adjacent stretches with the same state are merged, so that a source that is read every 15 minutes
for years has one row, and one more for each gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.page import DISALLOWED, KEY_REFUSED, NO_KEY, UNREACHABLE


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of time, `since` included, `until` excluded. Times are aware."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class WindowRead:
    """One reading of a source: the requested window, the parts of it that could not be read, and the reason."""

    source: str
    since: datetime
    until: datetime
    unread: tuple[Span, ...] = ()
    reason: str = ""

    @property
    def span(self) -> Span:
        """The whole window."""
        return Span(self.since, self.until)

    @property
    def closed(self) -> list[Span]:
        """The parts that were read completely."""
        return minus([self.span], self.unread)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One row of the coverage ledger: a gap with its `reason`, or a closed stretch (`reason` None)."""

    since: datetime
    until: datetime
    reason: str | None = None

    @property
    def span(self) -> Span:
        return Span(self.since, self.until)


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a window that could not be read."""

    source: str
    since: datetime
    until: datetime
    reason: str

    @property
    def is_forbidden(self) -> bool:
        """Whether robots.txt forbids to read it: it comes again with every run, and no backfill can close it."""
        return DISALLOWED in self.reason

    @property
    def is_of_all(self) -> bool:
        """Whether its reason is one that many sources share: robots.txt, a network that is down, a missing key."""
        return self.is_forbidden or self.reason.startswith((UNREACHABLE, NO_KEY, KEY_REFUSED))


def grouped(gaps: Iterable[Gap]) -> list[Gap]:
    """The gaps, and after them one for each reason that many sources share: its source is `A and 7 more`."""
    found = list(gaps)
    shared: dict[str, list[Gap]] = {}
    for gap in found:
        if gap.is_of_all:
            shared.setdefault(gap.reason, []).append(gap)
    return [gap for gap in found if not gap.is_of_all] + [_as_one(alike) for alike in shared.values()]


def _as_one(alike: Sequence[Gap]) -> Gap:
    sources = list(dict.fromkeys(gap.source for gap in alike))
    source = sources[0] if len(sources) == 1 else f"{sources[0]} and {len(sources) - 1} more"
    return Gap(source, min(gap.since for gap in alike), max(gap.until for gap in alike), alike[0].reason)


def after(ledger: Sequence[Stretch], read: WindowRead) -> list[Stretch]:
    """A source's ledger after a reading, oldest first. What has been read stays closed if a later reading fails."""
    closed = read.closed
    unread = minus(read.unread, [row.span for row in ledger if row.reason is None])
    updated = [*closed, *unread]
    kept = [replace(row, since=s.since, until=s.until) for row in ledger for s in minus([row.span], updated)]
    new = [Stretch(s.since, s.until) for s in closed] + [Stretch(s.since, s.until, read.reason) for s in unread]
    return _merged([*kept, *new])


def minus(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The parts of `spans` that lie in none of `others`, oldest first; empty ones are omitted."""
    left = [span for span in spans if span.since < span.until]
    for other in others:
        left = [part for span in left for part in _without(span, other)]
    return sorted(left, key=lambda span: span.since)


def _without(span: Span, other: Span) -> list[Span]:
    if other.until <= span.since or span.until <= other.since or other.since >= other.until:
        return [span]
    parts = (Span(span.since, other.since), Span(other.until, span.until))
    return [part for part in parts if part.since < part.until]


def _merged(rows: Iterable[Stretch]) -> list[Stretch]:
    """Sorted, with adjacent or overlapping rows of the same reason merged."""
    merged: list[Stretch] = []
    for row in sorted(rows, key=lambda row: row.since):
        last = merged[-1] if merged else None
        if last is not None and last.reason == row.reason and row.since <= last.until:
            merged[-1] = replace(last, until=max(last.until, row.until))
        else:
            merged.append(row)
    return merged
