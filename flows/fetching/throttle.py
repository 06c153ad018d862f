"""One host's door: how often it may be asked, and how many requests may be inside at once.

Knows no HTTP and no reason for a pause; it only asks how long one still lasts. Time is the monotonic clock's, so a wall
clock that jumps changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as a seam: `monotonic` seconds, `now` aware, `sleep` seconds."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Door:
    """One host's door.

    `requests_per_second` is a spacing, not an average: two requests never leave closer together, and nothing is saved
    up for a burst; 0 means no spacing. `patience` is the longest wait in seconds that is sat out. `pause_left` tells
    how many seconds the host is still to be left alone. `last`: the moment up to which somebody else may have asked it.
    """

    def __init__(
        self,
        *,
        requests_per_second: float,
        concurrency: int,
        patience: float,
        pause_left: Callable[[], float],
        clock: Clock,
        last: float = float("-inf"),
    ) -> None:
        self.places = asyncio.Semaphore(concurrency)
        self._line = asyncio.Lock()  # asyncio's locks are first come, first served
        self._interval = 1.0 / requests_per_second if requests_per_second > 0 else 0.0
        # A pace slower than the patience is the user's own wish, not a reason to give up.
        self._patience = max(patience, self._interval)
        self._pause_left = pause_left
        self._clock = clock
        self._last = last

    def slow_down(self, seconds: float) -> None:
        """Leave at least so many seconds between two requests from now on; never makes the pace faster."""
        self._interval = max(self._interval, seconds)

    async def turn(self) -> float:
        """Wait for the moment to send, and return 0; or, where that lies beyond the patience, the seconds until then.

        Whoever gets 0 must send now. A caller cancelled while waiting leaves no trace.
        """
        async with self._line:
            # Asked again after each sleep: the pause may have grown in the meantime.
            while (wait := self._wait()) > 0:
                if wait > self._patience:
                    return wait
                await self._clock.sleep(wait)
            self._last = self._clock.monotonic()
            return 0.0

    def _wait(self) -> float:
        return max(self._last + self._interval - self._clock.monotonic(), self._pause_left())
