"""What each host's robots.txt allows, according to RFC 9309.

    2xx                          its rules for the user agent `seogo` apply
    4xx, except 429              there are no rules: everything is allowed
    5xx, 429, no response        nothing is allowed until the file can be read

Knows nothing about HTTP: `Robots` is given a function that fetches. The texts are kept for the run's receipt, whether
they are obeyed or not.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protego import Protego

from flows.fetching.throttle import Clock
from schemas.page import DISALLOWED, Fault, FetchFault, RawPage

AGENT = "seogo"
"""The product token by which a robots.txt addresses seogo."""

PARSED_BYTES = 500 * 1024
"""The part of a robots.txt that is parsed, the minimum that RFC 9309 requires; the rest is ignored."""

_MAX_AGENTS = 1000
"""Protego's cost is the product of agents and rules: half a megabyte of both would take minutes."""

_MAX_AGE = 86_400.0  # seconds; RFC 9309: not longer than a day
_MAX_AGE_UNREADABLE = 600.0  # an unreachable host is tried again, but not for every article
_MAX_DELAY = 86_400.0


@dataclass(frozen=True, slots=True)
class RobotsText:
    """A host's robots.txt, for the run's receipt.

    `fault` says why it could not be read; `date` is the header of this name: the host's clock.
    """

    host: str
    url: str
    status: int | None
    text: str
    fault: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What one host allows. Without `rules` everything is allowed; an `unreadable` file forbids everything."""

    source: RobotsText
    rules: Protego | None = None
    unreadable: FetchFault | None = None

    def refusal(self, url: str, address: str) -> FetchFault | None:
        """Why this address of the host may not be fetched, or None if it may. `url` is the one originally requested.

        If the file is unreadable, the original fault is kept: a host that is down has not forbidden anything.
        """
        if self.unreadable is not None:
            fault = self.unreadable
            detail = f"{self.source.url} cannot be read, so nothing may be fetched from this host: {fault.detail}"
            return FetchFault(url, fault.fault, detail, status=fault.status, retry_at=fault.retry_at)
        if self.rules is None or self.rules.can_fetch(address, AGENT):
            return None
        return FetchFault(url, Fault.FORBIDDEN, f"{self.source.url.removesuffix('/robots.txt')}{DISALLOWED}{AGENT}")

    @property
    def delay(self) -> float:
        """The host's `Crawl-delay` in seconds; 0 if it has none."""
        delay = self.rules.crawl_delay(AGENT) if self.rules else None
        # Not `min(max(…))`, which would let a NaN pass.
        return min(delay, _MAX_DELAY) if delay is not None and delay > 0 else 0.0


def read_rules(host: str, answer: RawPage | FetchFault) -> Rules:
    """The rules that follow from the response to the request for robots.txt."""
    if isinstance(answer, FetchFault):
        source = RobotsText(host, answer.url, answer.status, "", f"{answer.fault}: {answer.detail}")
        return Rules(source, unreadable=answer)
    text = answer.content[:PARSED_BYTES].decode("utf-8-sig", errors="replace")
    source = RobotsText(host, answer.url, answer.status, text, date=answer.header("date"))
    if 200 <= answer.status < 300:
        if text.lower().count("user-agent") > _MAX_AGENTS:
            detail = f"it names more than {_MAX_AGENTS} user agents"
            return Rules(source, unreadable=FetchFault(answer.url, Fault.TOO_LARGE, detail, status=answer.status))
        return Rules(source, Protego.parse(text))
    if 400 <= answer.status < 500:
        return Rules(source)
    fault = FetchFault(answer.url, Fault.UNAVAILABLE, f"status {answer.status}", status=answer.status)
    return Rules(source, unreadable=fault)


class Robots:
    """The rules of all hosts, each fetched once and cached for a day. `fetch` takes the URL of a robots.txt."""

    def __init__(self, fetch: Callable[[str], Awaitable[RawPage | FetchFault]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._cache: dict[str, tuple[float, Rules]] = {}
        # A lock rather than a shared task: if the first caller is cancelled, the next one takes over.
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def texts(self) -> dict[str, RobotsText]:
        """The files read so far, by host."""
        return {host: rules.source for host, (_, rules) in self._cache.items()}

    async def rules(self, scheme: str, host: str) -> Rules:
        """The host's rules. The first caller fetches them; concurrent callers wait for the result."""
        if (cached := self._cached(host)) is not None:
            return cached
        async with self._locks[host]:
            return self._cached(host) or await self._read(scheme, host)

    def _cached(self, host: str) -> Rules | None:
        until, rules = self._cache.get(host, (0.0, None))
        return rules if rules is not None and self._clock.monotonic() < until else None

    async def _read(self, scheme: str, host: str) -> Rules:
        answer = await self._fetch(f"{scheme}://{host}/robots.txt")
        rules = read_rules(host, answer)
        self._cache[host] = (self._clock.monotonic() + _max_age(rules), rules)
        return rules


def _max_age(rules: Rules) -> float:
    if rules.unreadable is None:
        return _MAX_AGE
    # Nothing was sent while the host backs off: the pause itself answers the next caller.
    return 0.0 if rules.unreadable.fault is Fault.BACKING_OFF else _MAX_AGE_UNREADABLE
