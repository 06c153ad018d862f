"""The time range that a source is read for, and how far the source was read before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from schemas.article import SEOUL
from schemas.coverage import Span
from schemas.topic import Topic

_MOMENT = timedelta(microseconds=1)
SILENCE = timedelta(days=7)
"""How long a source that used to name articles must name none before its silence is believed."""

FirstFound = Callable[[Sequence[str]], Awaitable[Mapping[str, datetime]]]
"""For article ids, the start of the run that found each of them first. Ids that no run has found are left out."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time range to read: from `since` up to `until`, or up to `now` where `until` is None.

    `read_before`: the time up to which the source has already been read; None if it never was. `begin`: the oldest time
    that the source was ever to be read for, if there is one. Older articles only show that the source works.
    """

    since: datetime
    now: datetime
    read_before: datetime | None = None
    until: datetime | None = None
    begin: datetime | None = None

    @property
    def span(self) -> Span:
        """The window as a span of time."""
        return Span(self.since, self.until or self.now)

    @property
    def days(self) -> list[date]:
        """The Korean days of the window, newest first."""
        end = self.until - _MOMENT if self.until else self.now  # midnight belongs to the day before it
        last, first = end.astimezone(SEOUL).date(), self.since.astimezone(SEOUL).date()
        return [last - timedelta(days=n) for n in range((last - first).days + 1)]

    @property
    def days_before(self) -> list[date]:
        """The days before the window, newest first, that show whether a source with an empty window still works.

        There are none for a source that was never read: nothing is known of it that could have changed.
        """
        if self.read_before is None:
            return []
        return Window(self.now - SILENCE, self.now).days[len(self.days) :]

    def is_before_begin(self, day: date) -> bool:
        """Whether a day is older than what the source was ever to be read for."""
        return self.begin is not None and day < self.begin.astimezone(SEOUL).date()

    def watermark_if_empty(self) -> datetime | None:
        """How far a source counts as read that named nothing. A window of the past cannot prove its silence."""
        return self.now if self.until is None and self.now - self.since >= SILENCE else None

    def read_in_full(self, day: date) -> bool:
        """Whether a day's list has to be read to its end, because it has not been since the day ended."""
        return self.read_before is None or (self.read_before.astimezone(SEOUL).date() <= day < self.days[0])


def next_window(
    topic: Topic,
    watermark: datetime | None,
    now: datetime,
    *,
    since: datetime | None = None,
    begin: datetime | None = None,
) -> Window:
    """The window from a source's watermark minus the topic's lag, or from `since`, or as far back as the topic says.

    `begin`: the oldest time that the source was ever to be read for. The newest article may be older.
    """
    if since is not None:
        return Window(since, now)
    if watermark is None or watermark > now + topic.limits.lag:
        # A watermark in the future was set while the clock was wrong: how far the source was read is unknown.
        return Window(now - topic.limits.lookback, now)
    watermark = min(watermark, now)
    first = watermark - topic.limits.lag
    return Window(max(first, begin) if begin else first, now, watermark, begin=begin)


def day_span(day: date) -> Span:
    """A Korean day as a span of time."""
    begin = datetime.combine(day, time(), SEOUL)
    return Span(begin, begin + timedelta(days=1))


def minute(moment: datetime) -> str:
    """A time in Korea, to the minute: `2026-01-15 12:00`."""
    return f"{moment.astimezone(SEOUL):%Y-%m-%d %H:%M}"


def days_text(days: Sequence[date]) -> str:
    """Days, newest first, in words: `on 2026-01-15`, `from 2026-01-08 to 2026-01-15`."""
    return f"on {days[0]}" if len(days) == 1 else f"from {days[-1]} to {days[0]}"
