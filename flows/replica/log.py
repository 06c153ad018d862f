"""The replica's request log, from which tests judge a crawler as the server sees it.

The functions below take `RequestLog.entries`.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

GRACE = 0.05
"""Seconds until a crawler can know of a pause: requests that it sent before are not violations."""

KEY_HEADERS = (
    "x-naver-client-id",
    "x-naver-client-secret",
    "x-ncp-apigw-api-key-id",
    "x-ncp-apigw-api-key",
    "authorization",
)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request. `arrived` and `finished` are monotonic seconds, `wall` is the UTC time of arrival.

    `in_flight` counts the open requests of the host at arrival, including this one. `keys` and `cookies` are names,
    never values. `status` is None while the request is open or if no response was started. `paused_until` is the end
    of the pause that a Retry-After asked for, in monotonic seconds. `forbidden` means that robots.txt forbade the
    address. `fault` is the fault that was applied.
    """

    number: int
    arrived: float
    wall: datetime
    method: str
    host: str
    target: str
    user_agent: str
    in_flight: int
    keys: tuple[str, ...]
    cookies: tuple[str, ...]
    forbidden: bool
    status: int | None = None
    finished: float | None = None
    sent: int = 0
    paused_until: float | None = None
    fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"wall": self.wall.isoformat()}


class RequestLog:
    """All requests since the start or the last `clear`. Can be read from any thread."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self._open: defaultdict[str, set[int]] = defaultdict(set)
        self._lock = threading.Lock()
        self._cleared = 0

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        with self._lock:
            return tuple(self._entries)

    def arrive(self, method: str, host: str, target: str, headers: dict[str, str], *, forbidden: bool) -> LogEntry:
        """Record a request on arrival."""
        with self._lock:
            number = self._cleared + len(self._entries)
            self._open[host].add(number)
            entry = LogEntry(
                number=number,
                arrived=time.monotonic(),
                wall=datetime.now(UTC),
                method=method,
                host=host,
                target=target,
                user_agent=headers.get("user-agent", ""),
                in_flight=len(self._open[host]),
                keys=tuple(name for name in KEY_HEADERS if name in headers),
                cookies=_cookie_names(headers.get("cookie", "")),
                forbidden=forbidden,
            )
            self._entries.append(entry)
            return entry

    def finish(self, entry: LogEntry, *, status: int | None, sent: int, pause: float | None, fault: str | None) -> None:
        """Record how a request ended, once. `pause` is the pause that Retry-After asked for, in seconds from now."""
        now = time.monotonic()
        until = None if pause is None else now + pause
        with self._lock:
            if entry.number not in self._open[entry.host]:
                return
            self._open[entry.host].remove(entry.number)
            at = entry.number - self._cleared
            if at >= 0:
                self._entries[at] = replace(
                    self._entries[at], status=status, finished=now, sent=sent, paused_until=until, fault=fault
                )

    def clear(self) -> None:
        """Delete all entries; open requests still count as in flight."""
        with self._lock:
            self._cleared += len(self._entries)
            self._entries.clear()


def max_rate(log: Sequence[LogEntry], host: str, *, window: float = 1.0) -> float:
    """The highest rate of requests to a host per second, over any `window` in seconds."""
    times = [entry.arrived for entry in log if entry.host == host]
    most = first = 0
    for last, moment in enumerate(times):
        while moment - times[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most / window


def min_interval(log: Sequence[LogEntry], host: str) -> float:
    """The shortest interval between two consecutive requests to a host, in seconds; infinite if there are none."""
    times = sorted(entry.arrived for entry in log if entry.host == host)
    return min((later - earlier for earlier, later in pairwise(times)), default=float("inf"))


def max_in_flight(log: Sequence[LogEntry], host: str) -> int:
    """The highest number of requests that a host had open at the same time."""
    return max((entry.in_flight for entry in log if entry.host == host), default=0)


def requests_during_pause(log: Sequence[LogEntry], *, grace: float = GRACE) -> list[LogEntry]:
    """Requests to a host that arrived before the end of a pause that it had asked for."""
    pauses = [entry for entry in log if entry.paused_until is not None]
    return [entry for entry in log if any(_violates(entry, pause, grace) for pause in pauses)]


def forbidden_fetches(log: Sequence[LogEntry]) -> list[LogEntry]:
    """Requests for addresses that robots.txt forbade at the time."""
    return [entry for entry in log if entry.forbidden]


def _violates(entry: LogEntry, pause: LogEntry, grace: float) -> bool:
    if entry.host != pause.host or pause.finished is None or pause.paused_until is None:
        return False
    return pause.finished + grace < entry.arrived < pause.paused_until - grace


def _cookie_names(header: str) -> tuple[str, ...]:
    return tuple(part.partition("=")[0].strip() for part in header.split(";") if part.strip())
