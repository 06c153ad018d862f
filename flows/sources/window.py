"""What is asked of a source: a window of time, and how far it was read before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from schemas.article import SEOUL
from schemas.coverage import Span
from schemas.topic import Topic

_MOMENT = timedelta(microseconds=1)
SILENCE = timedelta(days=7)
"""How long a source that once named articles may be silent before it is taken at its word."""

Known = Callable[[Sequence[str]], Awaitable[Mapping[str, datetime]]]
"""Of these ids, those that runs have found: id -> start of the run that first did."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked of a source: everything from `since` on. `read_before`: until then it has been read already.

    `until`: where what is asked for ends, if that is before `now`.
    """

    since: datetime
    now: datetime
    read_before: datetime | None = None
    until: datetime | None = None

    @property
    def span(self) -> Span:
        """The window as a stretch of time."""
        return Span(self.since, self.until or self.now)

    @property
    def days(self) -> list[date]:
        """The Korean days of the window, newest first."""
        end = self.until - _MOMENT if self.until else self.now  # midnight ends the day before it
        last, first = end.astimezone(SEOUL).date(), self.since.astimezone(SEOUL).date()
        return [last - timedelta(days=n) for n in range((last - first).days + 1)]

    @property
    def days_before(self) -> list[date]:
        """The days before the window in which a source that is silent now has to show that it works, newest first.

        None for a source that was never read through: it has shown nothing yet, and gets what it was asked for.
        """
        if self.read_before is None:
            return []
        return Window(self.now - SILENCE, self.now).days[len(self.days) :]

    def after_silence(self) -> datetime | None:
        """How far a source counts as read that named nothing at all. A window of the past proves no silence."""
        return self.now if self.until is None and self.now - self.since >= SILENCE else None

    async def holds_nothing_new(self, ids: Collection[str], known: Known) -> bool:
        """Whether all of a page was found before the source was last read through.

        What a run found that did not get through the source (it was stopped, or killed) does not count: behind it may
        lie what nobody has seen yet.
        """
        if self.read_before is None:
            return False
        found = await known(sorted(ids))
        return all(id_ in found and found[id_] <= self.read_before for id_ in ids)

    def read_in_full(self, day: date) -> bool:
        """Whether a day's list is to be read to its end: it never was since the day ended."""
        return self.read_before is None or (self.read_before.astimezone(SEOUL).date() <= day < self.days[0])


def window(topic: Topic, watermark: datetime | None, now: datetime, *, since: datetime | None = None) -> Window:
    """The window of a source: from its watermark minus the lag, or as far back as the topic says, or from `since`."""
    if since is not None:
        return Window(since, now)
    if watermark is None or watermark > now + topic.limits.lag:
        # A mark of the future was left by a clock that was ahead: nobody knows how far the source was read.
        return Window(now - topic.limits.lookback, now)
    watermark = min(watermark, now)
    return Window(watermark - topic.limits.lag, now, watermark)


def day_span(day: date) -> Span:
    """A Korean day as a stretch of time."""
    begin = datetime.combine(day, time(), SEOUL)
    return Span(begin, begin + timedelta(days=1))
