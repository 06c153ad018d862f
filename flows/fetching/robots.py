"""What robots.txt allows, host by host, as RFC 9309 reads it.

    2xx                            its rules hold for the agent `seogo`
    4xx, but not 429               there are none: everything is allowed
    5xx, 429, no answer at all     nothing is allowed until it can be read

Knows no HTTP: `Robots` is given a way to fetch. What was read is kept with the run, whether it is obeyed or not.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from protego import Protego

from flows.fetching.throttle import Clock
from schemas.page import Fault, FetchFault, RawPage

AGENT = "seogo"
"""The name by which a robots.txt may address us."""

PARSED_BYTES = 500 * 1024
"""As much of a robots.txt as RFC 9309 wants read; the rest is ignored."""

_MOST_AGENTS = 1000
"""Protego's work is agents times rules: half a megabyte of both would keep it busy for minutes."""

_KEPT_SECONDS = 86_400.0  # RFC 9309: no longer than a day
_UNREADABLE_KEPT_SECONDS = 600.0  # a host that was down is asked again, but not for each article
_LONGEST_DELAY = 86_400.0


@dataclass(frozen=True, slots=True)
class RobotsText:
    """What a host's robots.txt said, for the run's receipt. `fault` says why it could not be read; `date` is the header
    of this name: the host's clock."""

    host: str
    url: str
    status: int | None
    text: str
    read_at: datetime
    fault: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What one host allows. `unreadable` is the fault that forbids everything; without rules all is allowed."""

    source: RobotsText
    rules: Protego | None = None
    unreadable: FetchFault | None = None

    def refusal(self, url: str, address: str) -> FetchFault | None:
        """Why this address of the host may not be fetched, told of the `url` first asked for; None where it may.

        A fault keeps its own kind: a host that is down is not a host that says no.
        """
        if self.unreadable is not None:
            fault = self.unreadable
            detail = f"{self.source.url} cannot be read, so nothing of the host may be fetched: {fault.detail}"
            return FetchFault(url, fault.fault, detail, status=fault.status, retry_at=fault.retry_at)
        if self.rules is None or self.rules.can_fetch(address, AGENT):
            return None
        return FetchFault(url, Fault.FORBIDDEN, f"{self.source.url} does not allow it for {AGENT}")

    @property
    def delay(self) -> float:
        """Seconds between two requests that the host asks for (`Crawl-delay`), 0 where it does not."""
        delay = self.rules.crawl_delay(AGENT) if self.rules else None
        # Not `min(max(…))`: a NaN must not get through.
        return min(delay, _LONGEST_DELAY) if delay is not None and delay > 0 else 0.0


def read_rules(host: str, answer: RawPage | FetchFault, at: datetime) -> Rules:
    """The rules that an answer to the request for robots.txt stands for."""
    if isinstance(answer, FetchFault):
        source = RobotsText(host, answer.url, answer.status, "", at, f"{answer.fault}: {answer.detail}")
        return Rules(source, unreadable=answer)
    text = answer.content[:PARSED_BYTES].decode("utf-8-sig", errors="replace")
    source = RobotsText(host, answer.url, answer.status, text, at, date=answer.header("date"))
    if 200 <= answer.status < 300:
        if text.lower().count("user-agent") > _MOST_AGENTS:
            told = f"it names more than {_MOST_AGENTS} user agents"
            return Rules(source, unreadable=FetchFault(answer.url, Fault.TOO_LARGE, told, status=answer.status))
        return Rules(source, Protego.parse(text))
    if 400 <= answer.status < 500:
        return Rules(source)
    fault = FetchFault(answer.url, Fault.UNAVAILABLE, f"status {answer.status}", status=answer.status)
    return Rules(source, unreadable=fault)


class Robots:
    """Every host's rules, fetched once and kept for a day. `fetch` takes the address of a robots.txt."""

    def __init__(self, fetch: Callable[[str], Awaitable[RawPage | FetchFault]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[str, tuple[float, Rules]] = {}
        # A lock and not a shared task: when the first to ask is cancelled, the next one takes over.
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def texts(self) -> dict[str, RobotsText]:
        """What was read so far, by host."""
        return {host: rules.source for host, (_, rules) in self._kept.items()}

    async def rules(self, scheme: str, host: str) -> Rules:
        """The host's rules; the first to want them fetches, the others wait for that."""
        if (known := self._known(host)) is not None:
            return known
        async with self._asking[host]:
            return self._known(host) or await self._read(scheme, host)

    def _known(self, host: str) -> Rules | None:
        until, rules = self._kept.get(host, (0.0, None))
        return rules if rules is not None and self._clock.monotonic() < until else None

    async def _read(self, scheme: str, host: str) -> Rules:
        answer = await self._fetch(f"{scheme}://{host}/robots.txt")
        rules = read_rules(host, answer, self._clock.now())
        self._kept[host] = (self._clock.monotonic() + _kept_seconds(rules), rules)
        return rules


def _kept_seconds(rules: Rules) -> float:
    if rules.unreadable is None:
        return _KEPT_SECONDS
    # Nothing went over the wire: the pause itself answers the next one who asks.
    return 0.0 if rules.unreadable.fault is Fault.BACKING_OFF else _UNREADABLE_KEPT_SECONDS
