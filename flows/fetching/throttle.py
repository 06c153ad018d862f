"""Throttles the requests to one host: their spacing, and how many are open at the same time.

Knows nothing about HTTP, nor why a host is paused. All waiting uses the monotonic clock, so that a change of the system
time has no effect.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

_LATE, _LATE_SECONDS = 0.1, 0.025
"""How late a request may use a shared turn: a part of the interval, but at least so many seconds."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The sources of time, replaceable in tests: `monotonic` in seconds, `now` aware, `sleep` for seconds."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Turns(Protocol):
    """Turns that several machines share (`flows.fetching.turns`)."""

    async def take(self, host: str, every: float) -> float:
        """Take the next turn at a host, `every` seconds after the last one. Returns the seconds until it."""
        ...

    async def pause(self, host: str, seconds: float) -> None:
        """Give no turn at a host for so long."""
        ...


class Throttle:
    """The throttle of one host. Hold one of its `slots` during a request, and call `wait_turn` before sending.

    `requests_per_second` is a minimum spacing, not an average: idle time is not saved up for a burst; 0 means no
    spacing. `patience` is the longest wait in seconds. `pause_left` returns the remaining seconds of the host's current
    pause. `last` is the monotonic time up to which another process may have sent requests. `take_turn` takes a turn
    that several machines share, given the seconds between two turns, and returns the seconds until it.
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
        take_turn: Callable[[float], Awaitable[float]] | None = None,
    ) -> None:
        self.slots = asyncio.Semaphore(concurrency)
        self._queue = asyncio.Lock()  # asyncio locks are fair: first come, first served
        self._interval = 1.0 / requests_per_second if requests_per_second > 0 else 0.0
        # A rate that is slower than the patience was configured by the user: it is no reason to give up.
        self._patience = max(patience, self._interval)
        self._pause_left = pause_left
        self._clock = clock
        self._last = last
        self._take_turn = take_turn

    def slow_down(self, seconds: float) -> None:
        """Require at least this interval between two requests. Never shortens the interval."""
        self._interval = max(self._interval, seconds)

    async def wait_turn(self) -> float:
        """Wait until a request may be sent and return 0, or return the wait in seconds if it exceeds the patience.

        After 0 the caller must send at once. A caller that is cancelled while waiting does not use up a turn.
        """
        async with self._queue:
            # Checked again after each sleep, because the pause may have been extended in the meantime.
            while (wait := self._wait()) > 0 or (wait := await self._shared_wait()) > 0:
                if wait > self._patience:
                    return wait
                await self._clock.sleep(wait)
            self._last = self._clock.monotonic()
            return 0.0

    async def _shared_wait(self) -> float:
        """Wait for a turn that is shared, and return 0; or the seconds until it if they exceed the patience."""
        if self._take_turn is None or not self._interval:
            return 0.0
        late = max(self._interval * _LATE, _LATE_SECONDS)
        while True:
            asked = self._clock.monotonic()
            wait = await self._take_turn(self._interval + late)
            if wait > self._patience:
                return wait
            await self._clock.sleep(wait)
            # A request that is late for its turn would come too close to the next one.
            if self._clock.monotonic() <= asked + wait + late and self._pause_left() <= 0:
                return 0.0

    def _wait(self) -> float:
        return max(self._last + self._interval - self._clock.monotonic(), self._pause_left())
