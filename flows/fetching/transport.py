"""Sends one request and receives its response: the only module that uses the network.

Plain http goes through aiohttp, whose parser in C is two to three times as fast as httpx's. https goes through httpx,
with HTTP/2 where the server offers it; its transport is used directly, without httpx.AsyncClient, which would cost a
fifth of the throughput for cookies, redirects and authentication that are not wanted here. Nothing that a server or a
network does raises an exception: it becomes a `NoResponse`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import httpx

from flows.fetching.exceptions import classified, described
from schemas.content_coding import Undecodable, decode
from schemas.page import Fault

if TYPE_CHECKING:
    from flows.fetching.plain_http import PlainHttp

Headers = tuple[tuple[str, str], ...]

# At DEBUG level, hpack logs every header that is sent, and httpcore every one received: a server may echo an API key.
for name in ("hpack", "httpcore"):
    logging.getLogger(name).setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Opened:
    """A response whose head has arrived: `chunks` are the parts of its body as sent."""

    status: int
    reason: str
    http_version: str
    headers: Headers
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response: `payload` is the body as sent, `content` the body without its content codings."""

    status: int
    reason: str
    http_version: str
    headers: Headers
    payload: bytes
    content: bytes

    @property
    def received(self) -> int:
        """The size of the body as sent, in bytes."""
        return len(self.payload)


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No usable response. `status` is set if a status line arrived; `received` counts the bytes of the body."""

    fault: Fault
    detail: str
    status: int | None = None
    received: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits for one response: seconds to connect, between two chunks and in all; bytes as sent and as decoded."""

    connect_seconds: float
    read_seconds: float
    total_seconds: float
    max_bytes: int


def text_of(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers as received, in Latin-1, which keeps every byte."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def first(headers: Headers, name: str) -> str | None:
    """The first header of this name, which is given in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


class Transport:
    """Sends requests over http and https. `tls` replaces httpx's default certificate authorities."""

    def __init__(self, bounds: Bounds, tls: ssl.SSLContext | None = None) -> None:
        self._bounds = bounds
        self._tls = tls
        self._errors: tuple[type[Exception], ...] = (httpx.HTTPError, OSError)
        self._classified = classified

    @cached_property
    def _plain(self) -> PlainHttp:
        # Imported on first use: to import aiohttp takes a seventh of a run that finds nothing new.
        from flows.fetching import plain_http

        self._errors, self._classified = (*self._errors, plain_http.ClientError), plain_http.classified
        return plain_http.PlainHttp(self._bounds)

    @cached_property
    def _secure(self) -> _Https:
        # Created on first use, because loading the certificate authorities takes time.
        return _Https(self._bounds, self._tls)

    async def aclose(self) -> None:
        """Close all connections."""
        async with AsyncExitStack() as closing:
            for sender in (self.__dict__.pop("_plain", None), self.__dict__.pop("_secure", None)):
                if sender is not None:
                    closing.push_async_callback(sender.aclose)

    async def exchange(self, url: httpx.URL, headers: list[tuple[str, str]]) -> Response | NoResponse:
        """Send a GET request and read the whole response, within the bounds. `headers` must include `Host`."""
        sender = self._secure if url.scheme == "https" else self._plain
        reader = _ResponseReader(self._bounds.max_bytes)
        try:
            async with asyncio.timeout(self._bounds.total_seconds) as total, sender.send(url, headers) as opened:
                return await reader.read(opened)
        except TimeoutError as error:
            too_slow = f"the response was not complete after {self._bounds.total_seconds:g} s"
            return reader.failure(Fault.TIMEOUT, too_slow if total.expired() else described(error))
        except self._errors as error:
            return reader.failure(*self._classified(error))


class _Https:
    """https through httpx."""

    def __init__(self, bounds: Bounds, tls: ssl.SSLContext | None) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self._transport = httpx.AsyncHTTPTransport(verify=tls or True, http2=True, limits=limits)
        connect, read = bounds.connect_seconds, bounds.read_seconds
        self._extensions = {"timeout": {"connect": connect, "pool": connect, "read": read, "write": read}}

    @asynccontextmanager
    async def send(self, url: httpx.URL, headers: list[tuple[str, str]]) -> AsyncIterator[Opened]:
        request = httpx.Request("GET", url, headers=headers, extensions=self._extensions)
        response = await self._transport.handle_async_request(request)
        stream, about = response.stream, response.extensions
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101  for the type checker: the transport is async
        try:
            reason = about.get("reason_phrase", b"").decode("latin-1")
            version = about.get("http_version", b"HTTP/1.1").decode("ascii")
            yield Opened(response.status_code, reason, version, text_of(response.headers.raw), aiter(stream))
        finally:
            await stream.aclose()

    async def aclose(self) -> None:
        await self._transport.aclose()


class _ResponseReader:
    """Reads a response. If that fails midway, the part that had arrived is still known."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._status: int | None = None
        self._headers: Headers = ()
        self._chunks: list[bytes] = []

    async def read(self, opened: Opened) -> Response | NoResponse:
        self._status, self._headers = opened.status, opened.headers
        announced = first(self._headers, "content-length") or ""
        if announced.isdigit() and int(announced) > self._limit:
            return self.failure(Fault.TOO_LARGE, f"Content-Length is {announced} bytes, at most {self._limit} allowed")
        received = 0
        async for chunk in opened.chunks:
            self._chunks.append(chunk)
            received += len(chunk)
            if received > self._limit:
                return self.failure(Fault.TOO_LARGE, f"more than {self._limit} bytes")
        payload = b"".join(self._chunks)
        content = decode(payload, first(self._headers, "content-encoding") or "", self._limit)
        if isinstance(content, Undecodable):
            return self.failure(content.fault, content.detail)
        return Response(opened.status, opened.reason, opened.http_version, opened.headers, payload, content)

    def failure(self, fault: Fault, detail: str) -> NoResponse:
        return NoResponse(fault, detail, self._status, sum(map(len, self._chunks)))
