"""The pauses of hosts after faults, kept across processes.

    retry_after_seconds   the pause that a `Retry-After` header requests
    full_jitter           the pause of our own back-off
    Backoff               combines both, host by host
    BackoffStore          keeps the pauses across processes (`storage.state.backoff`)

Knows nothing about HTTP except that header. Within a process, pauses use the monotonic clock: setting the system clock
back never prolongs one. Only the stored pauses use the time of day.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from flows.fetching.throttle import Clock

LONGEST_PAUSE = 86_400.0
"""The longest pause in seconds, whatever a host requests, and whatever a wrong clock makes of it."""


class BackoffStore(Protocol):
    """Keeps pauses across processes. `until` is aware."""

    def load(self) -> dict[str, datetime]:
        """All stored pauses by host; expired ones may be included."""
        ...

    def save(self, host: str, until: datetime) -> None:
        """Store the pause of one host."""
        ...


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The pause that a `Retry-After` header requests: seconds from `now` (aware), 0 to `LONGEST_PAUSE`.

    Reads both forms of RFC 9110: `120` and `Wed, 21 Oct 2026 07:28:00 GMT`. None if there is no valid header.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # A date without a zone is taken as UTC, the only zone that the header allows.
    seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def full_jitter(streak: int, *, first: float, longest: float, rng: random.Random) -> float:
    """A random pause in seconds: 0 to `first` after one fault, 0 to twice that after two in a row, at most `longest`.

    "Full jitter": the whole range is random, so that requests which failed together are not repeated together.
    """
    doublings = min(streak - 1, 64)  # 2**64 times anything exceeds `longest`, and is still a float
    return rng.uniform(0.0, min(longest, first * 2.0**doublings))


@dataclass(slots=True)
class _Pause:
    since: float = float("-inf")  # start and end, on the monotonic clock
    until: float = float("-inf")
    streak: int = 0  # consecutive faults


class Backoff:
    """The pauses of all hosts. `first` and `longest` are seconds, as for `full_jitter`."""

    def __init__(
        self, store: BackoffStore, *, first: float, longest: float, clock: Clock, rng: random.Random | None = None
    ) -> None:
        self._store = store
        self._first = first
        self._longest = longest
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311  spreads load, protects no secret
        self._pauses: dict[str, _Pause] = {}

    def restore(self) -> None:
        """Load the pauses that an earlier process stored."""
        now, wall = self._clock.monotonic(), self._clock.now()
        for host, until in self._store.load().items():
            seconds = (until - wall).total_seconds()
            if seconds > LONGEST_PAUSE:
                # Stored while the clock was ahead. The cut is stored too, or each process would begin a new day.
                seconds = LONGEST_PAUSE
                self._store.save(host, wall + timedelta(seconds=seconds))
            if seconds > 0:
                self._pauses[host] = _Pause(since=now, until=now + seconds, streak=1)

    def remaining(self, host: str) -> float:
        """The remaining seconds of the host's pause; 0 or less if there is none."""
        pause = self._pauses.get(host)
        return pause.until - self._clock.monotonic() if pause else 0.0

    def succeeded(self, host: str, sent: float) -> None:
        """Record that a request sent at `sent` (monotonic) succeeded: the next fault starts a new streak."""
        pause = self._pauses.get(host)
        if pause and sent > pause.since:
            pause.streak = 0

    def failed(self, host: str, sent: float, retry_after: float | None) -> None:
        """Record that a request sent at `sent` (monotonic) failed, and pause the host: `retry_after` seconds or longer.

        Requests that were in flight together and fail together count as one fault.
        """
        now = self._clock.monotonic()
        pause = self._pauses.setdefault(host, _Pause())
        seconds = retry_after or 0.0
        if sent > pause.since:
            pause.since = now
            pause.streak += 1
            jitter = full_jitter(pause.streak, first=self._first, longest=self._longest, rng=self._rng)
            seconds = max(seconds, jitter)
        if now + seconds > pause.until:
            pause.until = now + seconds
            self._store.save(host, self._clock.now() + timedelta(seconds=seconds))
