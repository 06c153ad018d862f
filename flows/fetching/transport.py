"""One request, one answer: the only place that touches the network.

Plain http goes through aiohttp's C parser behind httpx's interface (it carries two to three times the pages of httpx's
own), https through httpx itself, with HTTP/2 where it is offered. The transports are used bare, below
httpx.AsyncClient: it costs a fifth of the pages, for cookies, redirects and authentication that would only have to be
switched off. What a server or a network does never raises: it is a `Broken`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from flows.fetching.content_coding import Unusable, unpack
from schemas.page import Fault

Headers = tuple[tuple[str, str], ...]

# At DEBUG hpack writes every header that it packs, our keys among them.
logging.getLogger("hpack").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: `payload` as sent, `content` unpacked."""

    status: int
    reason: str
    http_version: str
    headers: Headers
    payload: bytes
    content: bytes

    @property
    def received(self) -> int:
        """Bytes of the body as sent."""
        return len(self.payload)


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer that can be used; `status` where one was seen, `received` counts the body's bytes."""

    fault: Fault
    detail: str
    status: int | None = None
    received: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one answer may cost: seconds to connect, between two pieces and in all; bytes as sent and unpacked."""

    connect_seconds: float
    read_seconds: float
    total_seconds: float
    max_bytes: int


def first(headers: Headers, name: str) -> str | None:
    """The first header of this name, given in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


class Wire:
    """The transports. `tls` replaces httpx's trust in the usual authorities."""

    def __init__(self, bounds: Bounds, tls: ssl.SSLContext | None = None) -> None:
        self._bounds = bounds
        self._tls = tls
        connect, read = bounds.connect_seconds, bounds.read_seconds
        # aiohttp counts the look-up of the name as waiting for the pool.
        self._extensions = {"timeout": {"connect": connect, "pool": connect, "read": read, "write": read}}

    @cached_property
    def _plain(self) -> AiohttpTransport:
        return AiohttpTransport(verify=False, client=_session)  # never sees https

    @cached_property
    def _secure(self) -> httpx.AsyncHTTPTransport:
        # Made when first needed: reading the authorities' certificates takes its time.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        return httpx.AsyncHTTPTransport(verify=self._tls or True, http2=True, limits=limits)

    async def aclose(self) -> None:
        """Close every connection."""
        async with AsyncExitStack() as closing:
            for transport in (self.__dict__.pop("_plain", None), self.__dict__.pop("_secure", None)):
                if transport is not None:
                    closing.push_async_callback(transport.aclose)

    async def exchange(self, url: httpx.URL, headers: list[tuple[str, str]]) -> Answer | Broken:
        """Ask for `url` and read the whole answer, within the bounds. The headers must hold `Host`."""
        request = httpx.Request("GET", url, headers=headers, extensions=self._extensions)
        transport = self._secure if url.scheme == "https" else self._plain
        reading = _Reading(self._bounds.max_bytes)
        try:
            async with asyncio.timeout(self._bounds.total_seconds) as total:
                return await reading.of(await transport.handle_async_request(request))
        except TimeoutError as error:
            seconds = f"no whole answer in {self._bounds.total_seconds:g} s"
            return reading.broken(Fault.TIMEOUT, seconds if total.expired() else _named(error))
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            return reading.broken(*_diagnosis(error))


class _Reading:
    """An answer on its way in: what was seen of it is still known when it breaks."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._status: int | None = None
        self._headers: Headers = ()
        self._chunks: list[bytes] = []

    async def of(self, response: httpx.Response) -> Answer | Broken:
        self._status = response.status_code
        self._headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101  for the type checker: both transports are async
        try:
            return await self._whole(response, stream)
        finally:
            await stream.aclose()

    async def _whole(self, response: httpx.Response, stream: httpx.AsyncByteStream) -> Answer | Broken:
        announced = first(self._headers, "content-length") or ""
        if announced.isdigit() and int(announced) > self._limit:
            return self.broken(Fault.TOO_LARGE, f"{announced} bytes are announced, {self._limit} allowed")
        received = 0
        async for chunk in stream:
            self._chunks.append(chunk)
            received += len(chunk)
            if received > self._limit:
                return self.broken(Fault.TOO_LARGE, f"more than {self._limit} bytes")
        payload = b"".join(self._chunks)
        content = unpack(payload, first(self._headers, "content-encoding") or "", self._limit)
        if isinstance(content, Unusable):
            return self.broken(content.fault, content.detail)
        reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
        version = response.extensions.get("http_version", b"HTTP/1.1").decode("ascii")
        return Answer(response.status_code, reason, version, self._headers, payload, content)

    def broken(self, fault: Fault, detail: str) -> Broken:
        return Broken(fault, detail, self._status, sum(map(len, self._chunks)))


def _session() -> aiohttp.ClientSession:
    """A session without a memory: no cookies, no limit beside the pace."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
    )
    # It would quietly repeat a request on a connection that was closed under it: past the pace and the ledger.
    session._retry_connection = False
    return session


def _diagnosis(error: Exception) -> tuple[Fault, str]:
    """What a library's exception means for us. httpx-aiohttp calls most of them time-outs, so the cause decides."""
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    if isinstance(cause, (TimeoutError, httpx.TimeoutException)):
        return Fault.TIMEOUT, _named(cause)
    if isinstance(cause, aiohttp.ClientResponseError):
        return Fault.BAD_ANSWER, _named(cause)
    return Fault.CONNECTION, _named(cause)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
