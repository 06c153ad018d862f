"""Which times of a source have been read: closed stretches, and gaps with the reason.

A window of a source is closed where it was read through: back to what was read before, or to where the source said
that there is no more. What was asked for and could not be read is a gap, until a later reading covers it. Stretches of
one source do not overlap; neighbours that say the same are one stretch, so that a source that is read every quarter of
an hour for years has one row, and each gap one more. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, from `since` up to and without `until`. Times bear a zone."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class WindowRead:
    """A reading of a source: what was asked for, and which parts of that could not be read, and why."""

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
        """What was read through."""
        return minus([self.span], self.unread)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A row of the coverage ledger. `reason` says why a gap is one; None: closed."""

    since: datetime
    until: datetime
    reason: str | None = None

    @property
    def span(self) -> Span:
        return Span(self.since, self.until)


def after(ledger: Sequence[Stretch], read: WindowRead) -> list[Stretch]:
    """A source's ledger after a reading, oldest first. What was once read stays closed, whatever failed since."""
    closed = read.closed
    unread = minus(read.unread, [row.span for row in ledger if row.reason is None])
    told = [*closed, *unread]
    kept = [replace(row, since=s.since, until=s.until) for row in ledger for s in minus([row.span], told)]
    new = [Stretch(s.since, s.until) for s in closed] + [Stretch(s.since, s.until, read.reason) for s in unread]
    return _merged([*kept, *new])


def minus(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What of `spans` lies in none of `others`, oldest first; empty ones are left out."""
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
    """In order, with those that touch and say the same joined. Stretches of one kind may overlap."""
    merged: list[Stretch] = []
    for row in sorted(rows, key=lambda row: row.since):
        last = merged[-1] if merged else None
        if last is not None and last.reason == row.reason and row.since <= last.until:
            merged[-1] = replace(last, until=max(last.until, row.until))
        else:
            merged.append(row)
    return merged
