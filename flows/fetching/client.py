"""The polite HTTP client: one address in, an answer or a fault out.

    fetch | check the address | robots | turn at the host's door | exchange | ledger | back off, or follow a redirect

This module only puts those together; each has a room of its own (`routing`, `robots`, `pace`, `wire`, `backoff`). It
knows no article, no archive and no topic. What a server or a network does is a value; only a mistake of the caller's
raises.
"""

from __future__ import annotations

import random
import re
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Protocol, Self

import httpx

from flows.fetching.backoff import Backoff, BackoffStore, retry_after_seconds
from flows.fetching.content_coding import ACCEPTED
from flows.fetching.hosts import Routing
from flows.fetching.robots import Robots, RobotsText, Rules
from flows.fetching.throttle import Clock, Door
from flows.fetching.transport import Answer, Bounds, Broken, Wire
from schemas.errors import AddressError, BadInput
from schemas.page import Fault, FetchFault, RawPage, RequestRecord

MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRIED = frozenset({429, 500, 502, 503, 504})
_PASSING = frozenset({Fault.CONNECTION, Fault.TIMEOUT, Fault.BLOCKED, Fault.UNAVAILABLE})
"""Faults that may be gone at the next try."""


class Pace(Protocol):
    """How fast one host may be asked; `requests_per_second` 0 means as fast as it answers."""

    @property
    def requests_per_second(self) -> float: ...
    @property
    def concurrency(self) -> int: ...


class Limits(Pace, Protocol):
    """What a run may ask of hosts and of itself: seconds, bytes, tries a fetch. `hosts` have a pace of their own."""

    @property
    def hosts(self) -> Mapping[str, Pace]: ...
    @property
    def tries(self) -> int: ...
    @property
    def connect_timeout_seconds(self) -> float: ...
    @property
    def read_timeout_seconds(self) -> float: ...
    @property
    def total_timeout_seconds(self) -> float: ...
    @property
    def max_answer_bytes(self) -> int: ...
    @property
    def backoff_seconds(self) -> float: ...
    @property
    def max_backoff_seconds(self) -> float: ...
    @property
    def patience_seconds(self) -> float: ...


@dataclass(slots=True)
class _Errand:
    """One fetch under way. Its redirects share its tries; `hidden` are the values of keys, sent or not."""

    url: str
    why: str
    headers: tuple[tuple[str, str], ...]
    sent_at: datetime
    secrets: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = ()
    final: Callable[[RawPage], bool] | None = None
    attempt: int = 1

    def scrub(self, text: object) -> str:
        """The text without the keys, should a server have sent them back to us."""
        if not self.hidden:
            return str(text)
        # In any case: of a host's name only the small letters are left.
        return re.sub("|".join(map(re.escape, self.hidden)), "***", str(text), flags=re.IGNORECASE)

    def told_by(self, answer: Answer) -> bool:
        """Whether an answer repeats a key: in its text, packed or not, or in its head."""
        if not self.hidden:
            return False
        head = f"{answer.reason} {answer.headers}".encode()
        whole = b"\n".join((head, answer.content, answer.payload)).lower()
        return any(secret.lower().encode() in whole for secret in self.hidden)

    def fault(
        self, kind: Fault, detail: str, status: int | None = None, retry_at: datetime | None = None
    ) -> FetchFault:
        return FetchFault(self.url, kind, self.scrub(detail), status, retry_at)


class Client:
    """Fetches from `allowed_hosts`, politely. An async context manager, for one event loop.

    `record` gets each request on the wire, once it is over. `naver` is a stand-in's address to which every request goes
    instead. `robots_exempt_hosts` are asked without reading their robots.txt: an API used with a key of one's own
    under terms of its own is not crawling, and robots.txt speaks to crawlers. With `obey_robots=False` the others'
    are read and kept (`robots`), and not applied. `tls`, `rng` and `clock` are seams.
    """

    def __init__(  # noqa: PLR0913  settings by name, and three seams that nobody needs to fill
        self,
        *,
        limits: Limits,
        user_agent_contact: str,
        obey_robots: bool,
        naver: str | None,
        allowed_hosts: Collection[str],
        backoff: BackoffStore,
        record: Callable[[RequestRecord], None],
        robots_exempt_hosts: Collection[str] = (),
        tls: ssl.SSLContext | None = None,
        rng: random.Random | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._limits = limits
        self._headers = _standing_headers(user_agent_contact)
        self._obey_robots = obey_robots
        self._exempt = frozenset(robots_exempt_hosts)
        self._record = record
        self._clock = clock or Clock()
        self._routing = Routing(allowed_hosts, naver)
        self._robots = Robots(self._fetch_robots, self._clock)
        self._backoff = Backoff(
            backoff, first=limits.backoff_seconds, longest=limits.max_backoff_seconds, clock=self._clock, rng=rng
        )
        self._wire = Wire(_bounds(limits), tls)
        self._doors: dict[str, Door] = {}
        self._opened = float("-inf")

    async def __aenter__(self) -> Self:
        # An earlier run may have asked up to this moment: the pace holds between it and us, too.
        self._opened = self._clock.monotonic()
        self._backoff.recall()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._wire.aclose()

    @property
    def robots(self) -> Mapping[str, RobotsText]:
        """Every robots.txt read so far, by host: for the run's receipt."""
        return self._robots.texts

    async def rules(self, host: str) -> Rules:
        """The rules of a host's robots.txt, requested at most once. Raises AddressError for a host of somebody else."""
        address = self._routing.check(f"https://{host}/robots.txt")
        return await self._robots.rules(address.scheme, address.host)

    async def allowed(self, url: str) -> bool:
        """Whether `fetch` would ask for this address, as far as robots.txt goes. May have to fetch that file first."""
        return await self._refusal(url, self._routing.check(url)) is None

    async def fetch(
        self,
        url: str,
        *,
        why: str,
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        final: Callable[[RawPage], bool] | None = None,
    ) -> RawPage | FetchFault:
        """Ask for an address. A `RawPage` is any answer that trying again would not change: 2xx, 304, 401, 404 ….

        `headers` go with it and into the page (`If-None-Match`, say); `secret_headers` go to the address's own host
        alone and appear nowhere. `final` may call a 429 or 5xx final, from what it says: it is then handed out as a
        page, and neither retried nor held against the host.

        Raises AddressError for an address that may not be asked at all, and for a key that would travel in the open.
        """
        address = self._routing.check(url)
        secrets = tuple((secret_headers or {}).items())
        if secrets and not self._routing.keeps_secrets(address):
            raise AddressError(url, "keys go over https, or to a stand-in on this machine, and nowhere else")
        hidden = tuple(value for _, value in secrets if value)
        errand = _Errand(url, why, self._merged(headers), self._clock.now(), secrets, hidden, final)
        return await self._follow(errand, address, guarded=True)

    async def _fetch_robots(self, url: str) -> RawPage | FetchFault:
        errand = _Errand(url, "robots", self._headers, self._clock.now())
        return await self._follow(errand, self._routing.check(url), guarded=False)

    async def _follow(self, errand: _Errand, address: httpx.URL, *, guarded: bool) -> RawPage | FetchFault:
        """Ask, and go where redirects lead, each hop with its own host's robots and pace."""
        seen: list[httpx.URL] = []
        while True:
            if guarded and (refusal := await self._refusal(errand.url, address)) is not None:
                return refusal
            page = await self._persist(errand, address)
            if isinstance(page, FetchFault) or (location := _location(page)) is None:
                return page
            seen.append(address)
            target = self._target(errand, seen, location, page.status)
            if isinstance(target, FetchFault):
                return target
            if target.host != address.host or not self._routing.keeps_secrets(target):
                errand.secrets = ()
            address = target

    def _target(self, errand: _Errand, seen: list[httpx.URL], location: str, status: int) -> httpx.URL | FetchFault:
        """Where a redirect of the last address seen leads, or why nobody follows it."""
        led_to = f"{seen[-1]} leads to {errand.scrub(location)[:300]!r}"
        try:
            target = self._routing.redirected(seen[-1], location)
        except AddressError as error:
            return errand.fault(Fault.BAD_REDIRECT, f"{led_to}: {error.reason}", status)
        if target in seen:
            return errand.fault(Fault.BAD_REDIRECT, f"{led_to}: round in circles", status)
        if len(seen) > MAX_REDIRECTS:
            return errand.fault(
                Fault.BAD_REDIRECT, f"{led_to}: that would be more than {MAX_REDIRECTS} redirects", status
            )
        return target

    async def _refusal(self, url: str, address: httpx.URL) -> FetchFault | None:
        """What robots.txt has against the address, and its Crawl-delay at the host's door."""
        if address.host in self._exempt:
            return None
        rules = await self._robots.rules(address.scheme, address.host)
        if not self._obey_robots:
            return None
        self._door(address.host).slow_down(rules.delay)
        return rules.refusal(url, str(address))

    async def _persist(self, errand: _Errand, address: httpx.URL) -> RawPage | FetchFault:
        """Ask until there is an answer, a fault that stays, or no try left. The pauses between are the host's."""
        while True:
            outcome = await self._ask(errand, address)
            if not isinstance(outcome, FetchFault) or outcome.fault not in _PASSING:
                return outcome
            if errand.attempt >= self._limits.tries:
                return outcome
            errand.attempt += 1

    async def _ask(self, errand: _Errand, address: httpx.URL) -> RawPage | FetchFault:
        """One request, when it is the host's turn."""
        door = self._door(address.host)
        async with door.places:
            if (wait := await door.turn()) > 0:
                until = self._clock.now() + timedelta(seconds=wait)
                detail = f"{address.host} is to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC"
                return errand.fault(Fault.BACKING_OFF, detail, retry_at=until)
            sent = self._clock.monotonic()
            answer = await self._exchange(errand, address)
            return self._judge(errand, address, answer, sent)

    async def _exchange(self, errand: _Errand, address: httpx.URL) -> Answer | Broken:
        """Put the request on the wire, and into the ledger whatever becomes of it."""
        errand.sent_at = self._clock.now()
        began = self._clock.monotonic()
        answer: Answer | Broken = Broken(Fault.CONNECTION, "given up by us before the answer was whole")
        try:
            headers = [("Host", address.host), *errand.headers, *errand.secrets]
            answer = await self._wire.exchange(self._routing.wire(address), headers)
            if isinstance(answer, Answer) and errand.told_by(answer):
                answer = Broken(
                    Fault.BAD_ANSWER,
                    "the answer repeats our key: nothing of it is kept",
                    answer.status,
                    answer.received,
                )
            return answer
        finally:
            self._record(_ledger_row(errand, address, answer, self._clock.monotonic() - began))

    def _judge(self, errand: _Errand, address: httpx.URL, answer: Answer | Broken, sent: float) -> RawPage | FetchFault:
        """What the answer means for the caller, and for the host's next requests."""
        if isinstance(answer, Broken):
            if answer.fault in _PASSING:
                self._backoff.failed(address.host, sent, None)
            detail = f"{address}, try {errand.attempt}: {answer.detail}"
            return errand.fault(answer.fault, detail, answer.status)
        page = _page(errand, address, answer)
        if answer.status not in _RETRIED or (errand.final and errand.final(page)):
            self._backoff.succeeded(address.host, sent)
            return page
        self._backoff.failed(address.host, sent, retry_after_seconds(page.header("retry-after"), self._clock.now()))
        fault = Fault.BLOCKED if answer.status == 429 else Fault.UNAVAILABLE
        detail = f"{address}, try {errand.attempt}: answered {answer.status} {answer.reason}".rstrip()
        return errand.fault(fault, detail, answer.status)

    def _door(self, host: str) -> Door:
        if (door := self._doors.get(host)) is not None:
            return door
        pace = self._limits.hosts.get(host, self._limits)
        door = self._doors[host] = Door(
            requests_per_second=pace.requests_per_second,
            concurrency=pace.concurrency,
            patience=self._limits.patience_seconds,
            pause_left=lambda: self._backoff.left(host),
            clock=self._clock,
            last=self._opened,
        )
        return door

    def _merged(self, headers: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
        if not headers:
            return self._headers
        ours = {name.lower() for name in headers}
        return tuple(pair for pair in self._headers if pair[0].lower() not in ours) + tuple(headers.items())


def _standing_headers(contact: str) -> tuple[tuple[str, str], ...]:
    if not contact.strip() or not contact.isascii() or not contact.isprintable():
        raise BadInput(f"contact {contact!r} goes into a header: give an address or a web page in plain ASCII")
    agent = f"seogo/{version('seogo')} (+{contact.strip()})"
    return (("User-Agent", agent), ("Accept", "*/*"), ("Accept-Language", "ko"), ("Accept-Encoding", ACCEPTED))


def _bounds(limits: Limits) -> Bounds:
    return Bounds(
        connect_seconds=limits.connect_timeout_seconds,
        read_seconds=limits.read_timeout_seconds,
        total_seconds=limits.total_timeout_seconds,
        max_bytes=limits.max_answer_bytes,
    )


def _location(page: RawPage) -> str | None:
    """Where a redirect leads; None for every other page."""
    if page.status not in _REDIRECTS or (value := page.header("location")) is None:
        return None
    # Headers are kept as Latin-1, byte for byte; servers that send Korean unescaped mean UTF-8.
    return value.encode("latin-1").decode("utf-8", errors="replace")


def _page(errand: _Errand, address: httpx.URL, answer: Answer) -> RawPage:
    return RawPage(
        url=errand.url,
        final_url=errand.scrub(address),
        status=answer.status,
        reason=answer.reason,
        http_version=answer.http_version,
        headers=answer.headers,
        request_headers=(("Host", address.host), *errand.headers),
        payload=answer.payload,
        content=answer.content,
        fetched_at=errand.sent_at,
        why=errand.why,
    )


def _ledger_row(errand: _Errand, address: httpx.URL, answer: Answer | Broken, seconds: float) -> RequestRecord:
    fault = f"{answer.fault}: {answer.detail}" if isinstance(answer, Broken) else None
    return RequestRecord(
        started_at=errand.sent_at,
        host=address.host,
        url=errand.scrub(address),
        status=answer.status,
        received=answer.received,
        seconds=seconds,
        attempt=errand.attempt,
        why=errand.why,
        fault=errand.scrub(fault) if fault else None,
    )
