"""The clock of the replica: stopped, or running at any speed from a given time."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from schemas.article import SEOUL


class Clock:
    """The replica's clock, which determines what is listed, edited and deleted.

    `pace` is the number of its seconds per real second; 0, the default, stops the clock.
    """

    def __init__(self, now: datetime, *, pace: float = 0.0) -> None:
        self._pace = pace
        self.set(now)

    @property
    def now(self) -> datetime:
        """The current time, in the Korean time zone."""
        return self._start + timedelta(seconds=(time.monotonic() - self._since) * self._pace)

    def set(self, now: datetime) -> None:
        """Set the clock. Raises ValueError for a time without a zone."""
        if now.tzinfo is None:
            raise ValueError(f"{now} has no time zone: add one, such as +09:00")
        self._start = now.astimezone(SEOUL)
        self._since = time.monotonic()

    def advance(self, by: timedelta) -> None:
        """Advance the clock."""
        self.set(self.now + by)
