"""What time it is at the stand-in: fixed, or running at any pace from a chosen moment."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from schemas.article import SEOUL


class Clock:
    """The stand-in's clock. It decides what is listed, edited and deleted.

    `pace` is how many of its seconds go by in a real one: 0 (the default) for a clock that stands still.
    """

    def __init__(self, now: datetime, *, pace: float = 0.0) -> None:
        self._pace = pace
        self.set(now)

    @property
    def now(self) -> datetime:
        """The moment, in Korean time."""
        return self._start + timedelta(seconds=(time.monotonic() - self._since) * self._pace)

    def set(self, now: datetime) -> None:
        """Put the clock to a moment. Raises ValueError for one without a zone."""
        if now.tzinfo is None:
            raise ValueError(f"{now} has no time zone: give one, such as +09:00")
        self._start = now.astimezone(SEOUL)
        self._since = time.monotonic()

    def advance(self, by: timedelta) -> None:
        self.set(self.now + by)
