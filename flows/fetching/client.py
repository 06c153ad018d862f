"""The polite HTTP client: takes one URL, returns a page or a fault.

    fetch: check the URL, check robots.txt, wait for the throttle, exchange, record, then back off or follow a redirect

This module combines `hosts`, `robots`, `throttle`, `transport` and `backoff`. It knows nothing about articles or the
archive. What a server or a network does becomes a value; only a mistake of the caller raises an exception.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Self

import httpx

from flows.fetching.backoff import Backoff, BackoffStore, retry_after_seconds
from flows.fetching.hosts import Routing
from flows.fetching.network import offline_reason
from flows.fetching.robots import Robots, RobotsText, Rules
from flows.fetching.throttle import Clock, Throttle, Turns
from flows.fetching.transport import Bounds, NoResponse, Response, Transport
from schemas.content_coding import ACCEPTED
from schemas.errors import AddressError, BadInput
from schemas.page import UNREACHABLE, Fault, FetchFault, RawPage, RequestRecord
from schemas.topic import Limits

MAX_REDIRECTS = 5

_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
_RETRIED_FAULTS = frozenset({Fault.CONNECTION, Fault.TIMEOUT, Fault.BLOCKED, Fault.UNAVAILABLE})


@dataclass(slots=True)
class _Fetch:
    """One fetch in progress. Its redirects share its tries. `keys` are the values of API keys, whether sent or not."""

    url: str
    why: str
    headers: tuple[tuple[str, str], ...]
    sent_at: datetime
    secret_headers: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()
    final: Callable[[RawPage], bool] | None = None
    attempt: int = 1

    def scrub(self, text: object) -> str:
        """The text without API keys, in case a server has echoed them."""
        if not self.keys:
            return str(text)
        # Case-insensitive, because host names are converted to lower case.
        return re.sub("|".join(map(re.escape, self.keys)), "***", str(text), flags=re.IGNORECASE)

    def leaks_key(self, response: Response) -> bool:
        """Whether the response contains an API key: in its status line, its headers, or its body (raw or decoded)."""
        if not self.keys:
            return False
        head = f"{response.reason} {response.headers}".encode()
        whole = b"\n".join((head, response.content, response.payload)).lower()
        return any(key.lower().encode() in whole for key in self.keys)

    def fault(
        self, kind: Fault, detail: str, status: int | None = None, retry_at: datetime | None = None
    ) -> FetchFault:
        return FetchFault(self.url, kind, self.scrub(detail), status, retry_at)


class Client:
    """Fetches politely from `allowed_hosts`. An async context manager, to be used in one event loop.

    `record` is called with every request after it has ended. `naver` is the address of a stand-in that receives all
    requests instead. `robots_exempt_hosts` are fetched without reading their robots.txt: using an API with one's own
    key, under its own terms, is not crawling. With `obey_robots=False` the robots.txt of other hosts is read and kept
    (`robots`), but not applied. `network_within`: seconds within which a host must accept a connection before the first
    request; if none does, every fetch ends with `Fault.OFFLINE` (None: not tried). `turns`: a pace that other machines
    share. `tls`, `rng` and `clock` can be replaced in tests.
    """

    def __init__(  # noqa: PLR0913  keyword-only settings, three of them only for tests
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
        network_within: float | None = None,
        turns: Turns | None = None,
        tls: ssl.SSLContext | None = None,
        rng: random.Random | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._limits = limits
        self._headers = _default_headers(user_agent_contact)
        self._obey_robots = obey_robots
        self._exempt = frozenset(robots_exempt_hosts)
        self._record = record
        self._clock = clock or Clock()
        self._routing = Routing(allowed_hosts, naver)
        self._robots = Robots(self._fetch_robots, self._clock)
        self._backoff = Backoff(
            backoff, first=limits.backoff_seconds, longest=limits.max_backoff_seconds, clock=self._clock, rng=rng
        )
        self._network_within = network_within
        self._network_known = asyncio.Lock()
        self._offline: str | None = None if network_within else ""
        self._transport = Transport(_bounds(limits), tls)
        self._turns = turns
        self._throttles: dict[str, Throttle] = {}
        self._opened = float("-inf")

    async def __aenter__(self) -> Self:
        # An earlier run may have sent a request just now: the spacing must hold between the two runs as well.
        self._opened = self._clock.monotonic()
        self._backoff.restore()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()

    @property
    def robots(self) -> Mapping[str, RobotsText]:
        """Every robots.txt read so far, by host, for the run's receipt."""
        return self._robots.texts

    @property
    def offline(self) -> str:
        """Why no host can be reached; empty if one can, or if that was not tried."""
        return self._offline or ""

    async def rules(self, host: str) -> Rules:
        """The rules of a host's robots.txt, requested at most once. Raises AddressError for a host outside Naver."""
        address = self._routing.check(f"https://{host}/robots.txt")
        return await self._robots.rules(address.scheme, address.host)

    async def fetch(
        self,
        url: str,
        *,
        why: str,
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        final: Callable[[RawPage], bool] | None = None,
    ) -> RawPage | FetchFault:
        """Fetch a URL. Returns a `RawPage` for every response that a retry would not change: 2xx, 304, 401, 404 ….

        `headers` are sent and kept in the page (for example `If-None-Match`). `secret_headers` are sent to the URL's
        own host only, and are kept nowhere. `final` may declare a 429 or 5xx response final after looking at it: it is
        then returned as a page, without a retry and without a pause of the host.

        Raises AddressError for a URL that may not be requested, and for an API key that would be sent unencrypted.
        """
        address = self._routing.check(url)
        secrets = tuple((secret_headers or {}).items())
        if secrets and not self._routing.keeps_secrets(address):
            raise AddressError(url, "API keys are sent only over https, or to a stand-in on this machine")
        if offline := await self._reason_offline(address):
            return FetchFault(url, Fault.OFFLINE, f"{UNREACHABLE}{offline}")
        keys = tuple(value for _, value in secrets if value)
        fetch = _Fetch(url, why, self._merged(headers), self._clock.now(), secrets, keys, final)
        return await self._follow_redirects(fetch, address, check_robots=True)

    async def _reason_offline(self, address: httpx.URL) -> str:
        """Tried once, before the first request."""
        if self._offline is None:
            async with self._network_known:
                if self._offline is None:
                    first, others = self._routing.connections(address)
                    self._offline = await asyncio.to_thread(offline_reason, first, others, self._network_within or 0.0)
        return self._offline

    async def is_cut_off(self, url: str) -> bool:
        """Whether the network has gone since the first request: no host accepts a connection, nor the one of `url`.

        Then no further request is sent. For a fetch that failed at every try.
        """
        first, others = self._routing.connections(self._routing.check(url))
        async with self._network_known:
            if not self._offline and self._network_within:
                self._offline = await asyncio.to_thread(offline_reason, first, others, self._network_within)
        return bool(self._offline)

    async def _fetch_robots(self, url: str) -> RawPage | FetchFault:
        fetch = _Fetch(url, "robots", self._headers, self._clock.now())
        return await self._follow_redirects(fetch, self._routing.check(url), check_robots=False)

    async def _follow_redirects(self, fetch: _Fetch, address: httpx.URL, *, check_robots: bool) -> RawPage | FetchFault:
        """Send the request and follow redirects; robots.txt and throttle of each host apply."""
        seen: list[httpx.URL] = []
        while True:
            if check_robots and (refusal := await self._refusal(fetch.url, address)) is not None:
                return refusal
            page = await self._request_with_retries(fetch, address)
            if isinstance(page, FetchFault) or (location := _location(page)) is None:
                return page
            seen.append(address)
            target = self._redirect_target(fetch, seen, location, page.status)
            if isinstance(target, FetchFault):
                return target
            if target.host != address.host or not self._routing.keeps_secrets(target):
                fetch.secret_headers = ()
            address = target

    def _redirect_target(
        self, fetch: _Fetch, seen: list[httpx.URL], location: str, status: int
    ) -> httpx.URL | FetchFault:
        """The target of a redirect from the last URL of `seen`, or why it is not followed."""
        redirect = f"{seen[-1]} redirects to {fetch.scrub(location)[:300]!r}"
        try:
            target = self._routing.redirected(seen[-1], location)
        except AddressError as error:
            return fetch.fault(Fault.BAD_REDIRECT, f"{redirect}: {error.reason}", status)
        if target in seen:
            return fetch.fault(Fault.BAD_REDIRECT, f"{redirect}: a redirect loop", status)
        if len(seen) > MAX_REDIRECTS:
            return fetch.fault(Fault.BAD_REDIRECT, f"{redirect}: more than {MAX_REDIRECTS} redirects", status)
        return target

    async def _refusal(self, url: str, address: httpx.URL) -> FetchFault | None:
        """Why robots.txt forbids the URL, if it does. Also applies the host's Crawl-delay to its throttle."""
        if address.host in self._exempt:
            return None
        rules = await self._robots.rules(address.scheme, address.host)
        if not self._obey_robots:
            return None
        self._throttle(address.host).slow_down(rules.delay)
        return rules.refusal(url, str(address))

    async def _request_with_retries(self, fetch: _Fetch, address: httpx.URL) -> RawPage | FetchFault:
        """Retry until there is a page, a permanent fault, or no try left. The host's throttle spaces the retries."""
        while True:
            outcome = await self._request(fetch, address)
            if not isinstance(outcome, FetchFault) or outcome.fault not in _RETRIED_FAULTS:
                return outcome
            if fetch.attempt >= self._limits.tries:
                return outcome
            fetch.attempt += 1

    async def _request(self, fetch: _Fetch, address: httpx.URL) -> RawPage | FetchFault:
        """Send one request when the throttle allows it."""
        throttle = self._throttle(address.host)
        async with throttle.slots:
            if (wait := await throttle.wait_turn()) > 0:
                until = self._clock.now() + timedelta(seconds=wait)
                detail = f"no requests to {address.host} until {until:%Y-%m-%d %H:%M:%S} UTC"
                return fetch.fault(Fault.BACKING_OFF, detail, retry_at=until)
            sent = self._clock.monotonic()
            response = await self._exchange(fetch, address)
            outcome = self._outcome(fetch, address, response, sent)
            if self._turns is not None and (pause := self._backoff.remaining(address.host)) > 0:
                await self._turns.pause(address.host, pause)
            return outcome

    async def _exchange(self, fetch: _Fetch, address: httpx.URL) -> Response | NoResponse:
        """Send the request, and record it however it ends."""
        fetch.sent_at = self._clock.now()
        began = self._clock.monotonic()
        response: Response | NoResponse = NoResponse(Fault.CONNECTION, "cancelled before the response was complete")
        try:
            headers = [("Host", address.host), *fetch.headers, *fetch.secret_headers]
            response = await self._transport.exchange(self._routing.destination(address), headers)
            if isinstance(response, Response) and fetch.leaks_key(response):
                detail = "the response contains the API key and was discarded"
                response = NoResponse(Fault.BAD_ANSWER, detail, response.status, response.received)
            return response
        finally:
            self._record(_request_record(fetch, address, response, self._clock.monotonic() - began))

    def _outcome(
        self, fetch: _Fetch, address: httpx.URL, response: Response | NoResponse, sent: float
    ) -> RawPage | FetchFault:
        """The page or fault that a response amounts to. Updates the host's back-off."""
        if isinstance(response, NoResponse):
            if response.fault in _RETRIED_FAULTS:
                self._backoff.failed(address.host, sent, None)
            detail = f"{address}, try {fetch.attempt}: {response.detail}"
            return fetch.fault(response.fault, detail, response.status)
        page = _page(fetch, address, response)
        if response.status not in _RETRIED_STATUSES or (fetch.final and fetch.final(page)):
            self._backoff.succeeded(address.host, sent)
            return page
        self._backoff.failed(address.host, sent, retry_after_seconds(page.header("retry-after"), self._clock.now()))
        fault = Fault.BLOCKED if response.status == 429 else Fault.UNAVAILABLE
        detail = f"{address}, try {fetch.attempt}: status {response.status} {response.reason}".rstrip()
        return fetch.fault(fault, detail, response.status)

    def _throttle(self, host: str) -> Throttle:
        if (throttle := self._throttles.get(host)) is not None:
            return throttle
        limits = self._limits.hosts.get(host, self._limits)
        throttle = self._throttles[host] = Throttle(
            requests_per_second=limits.requests_per_second,
            concurrency=limits.concurrency,
            patience=self._limits.patience_seconds,
            pause_left=lambda: self._backoff.remaining(host),
            clock=self._clock,
            last=self._opened,
            take_turn=partial(self._turns.take, host) if self._turns else None,
        )
        return throttle

    def _merged(self, headers: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
        if not headers:
            return self._headers
        given = {name.lower() for name in headers}
        return tuple(pair for pair in self._headers if pair[0].lower() not in given) + tuple(headers.items())


def _default_headers(contact: str) -> tuple[tuple[str, str], ...]:
    if not contact.strip() or not contact.isascii() or not contact.isprintable():
        raise BadInput(f"contact {contact!r} cannot be sent in a header: use a plain ASCII e-mail address or URL")
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
    """The target of a redirect, None for every other page."""
    if page.status not in _REDIRECT_STATUSES or (value := page.header("location")) is None:
        return None
    # Headers are stored as Latin-1, byte for byte; servers that send unescaped Korean mean UTF-8.
    return value.encode("latin-1").decode("utf-8", errors="replace")


def _page(fetch: _Fetch, address: httpx.URL, response: Response) -> RawPage:
    return RawPage(
        url=fetch.url,
        final_url=fetch.scrub(address),
        status=response.status,
        reason=response.reason,
        http_version=response.http_version,
        headers=response.headers,
        request_headers=(("Host", address.host), *fetch.headers),
        payload=response.payload,
        content=response.content,
        fetched_at=fetch.sent_at,
        why=fetch.why,
    )


def _request_record(
    fetch: _Fetch, address: httpx.URL, response: Response | NoResponse, seconds: float
) -> RequestRecord:
    fault = f"{response.fault}: {response.detail}" if isinstance(response, NoResponse) else None
    return RequestRecord(
        started_at=fetch.sent_at,
        host=address.host,
        url=fetch.scrub(address),
        status=response.status,
        received=response.received,
        seconds=seconds,
        attempt=fetch.attempt,
        why=fetch.why,
        fault=fetch.scrub(fault) if fault else None,
    )
