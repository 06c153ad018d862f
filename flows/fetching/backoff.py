"""How long a host is left alone after a fault, and the memory of it that outlives the process.

    retry_after_seconds   what a `Retry-After` header asks for
    full_jitter           what we wait of our own accord
    Backoff               both put together, host by host
    BackoffStore          where they outlive the process (`storage.state.backoff`)

Knows nothing of HTTP beyond that one header. A pause is counted on the monotonic clock while the process lives: a
clock that is set back never prolongs it. Only the file, which outlives the process, holds times of day.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from flows.fetching.throttle import Clock

LONGEST_PAUSE = 86_400.0
"""Seconds. Whatever a host asks for (or a damaged clock makes of it), it is asked again after a day."""

_log = logging.getLogger(__name__)


class BackoffStore(Protocol):
    """Where pauses outlive the process. `until` is aware."""

    def load(self) -> dict[str, datetime]:
        """Every pause kept, by host; past ones may be among them."""
        ...

    def save(self, host: str, until: datetime) -> None:
        """Keep the pause of one host."""
        ...


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """What a `Retry-After` header asks for, in seconds from `now` (aware), 0 to `LONGEST_PAUSE`.

    Both forms of RFC 9110: `120` and `Wed, 21 Oct 2026 07:28:00 GMT`. None where there is no header or no sense in it.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # A date without a zone is read as UTC, the only zone that the header may bear.
    seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def full_jitter(streak: int, *, first: float, longest: float, rng: random.Random) -> float:
    """A random pause in seconds: 0 to `first` after one fault, twice that after two in a row, never above `longest`.

    "Full jitter": the whole span is random, so that those who failed together do not come back together.
    """
    doublings = min(streak - 1, 64)  # 2**64 times anything is beyond `longest`, and still a float
    return rng.uniform(0.0, min(longest, first * 2.0**doublings))


@dataclass(slots=True)
class _Pause:
    since: float = float("-inf")  # when it was set, and when it ends: on the monotonic clock
    until: float = float("-inf")
    streak: int = 0  # faults in a row


class Backoff:
    """The pauses of all hosts. `first` and `longest` are seconds, as for `full_jitter`."""

    def __init__(
        self, store: BackoffStore, *, first: float, longest: float, clock: Clock, rng: random.Random | None = None
    ) -> None:
        self._store = store
        self._first = first
        self._longest = longest
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311  spreads load, hides nothing
        self._pauses: dict[str, _Pause] = {}

    def recall(self) -> None:
        """Take up the pauses that an earlier process left behind."""
        now, wall = self._clock.monotonic(), self._clock.now()
        for host, until in self._store.load().items():
            seconds = (until - wall).total_seconds()
            if seconds > LONGEST_PAUSE:
                # Set by a clock that went ahead. Kept cut, or each process would begin the day anew.
                seconds = LONGEST_PAUSE
                self._store.save(host, wall + timedelta(seconds=seconds))
            if seconds > 0:
                self._pauses[host] = _Pause(since=now, until=now + seconds, streak=1)

    def left(self, host: str) -> float:
        """Seconds that the host is still to be left alone; 0 or less: none."""
        pause = self._pauses.get(host)
        return pause.until - self._clock.monotonic() if pause else 0.0

    def succeeded(self, host: str, sent: float) -> None:
        """The host answered well a request sent at `sent` (monotonic): its next fault is the first again."""
        pause = self._pauses.get(host)
        if pause and sent > pause.since:
            pause.streak = 0

    def failed(self, host: str, sent: float, retry_after: float | None) -> None:
        """A request sent at `sent` (monotonic) failed: pause the host, for `retry_after` seconds where that is longer.

        Requests that were under way together and fail together are one fault of the host, not many.
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
