"""Sends one request and receives its response: the only module that uses the network.

Plain http goes through aiohttp's C parser behind httpx's interface, which is two to three times as fast as httpx's own;
https goes through httpx, with HTTP/2 where the server offers it. The transports are used directly, without
httpx.AsyncClient, which would cost a fifth of the throughput for cookies, redirects and authentication that are not
wanted here. Nothing that a server or a network does raises an exception: it becomes a `NoResponse`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property

import httpx

from flows.fetching.exceptions import classified, described
from schemas.content_coding import Undecodable, decode
from schemas.page import Fault

Headers = tuple[tuple[str, str], ...]

# At DEBUG level, hpack logs every header that is sent, and httpcore every one received: a server may echo an API key.
for name in ("hpack", "httpcore"):
    logging.getLogger(name).setLevel(logging.INFO)


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
        connect, read = bounds.connect_seconds, bounds.read_seconds
        # aiohttp counts the DNS lookup as waiting for the pool.
        self._extensions = {"timeout": {"connect": connect, "pool": connect, "read": read, "write": read}}

    @cached_property
    def _plain(self) -> httpx.AsyncBaseTransport:
        # Imported on first use: to import aiohttp takes a seventh of a run that finds nothing new.
        from flows.fetching import plain_http

        self._errors, self._classified = (*self._errors, plain_http.ClientError), plain_http.classified
        return plain_http.plain_transport()

    @cached_property
    def _secure(self) -> httpx.AsyncHTTPTransport:
        # Created on first use, because loading the certificate authorities takes time.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        return httpx.AsyncHTTPTransport(verify=self._tls or True, http2=True, limits=limits)

    async def aclose(self) -> None:
        """Close all connections."""
        async with AsyncExitStack() as closing:
            for transport in (self.__dict__.pop("_plain", None), self.__dict__.pop("_secure", None)):
                if transport is not None:
                    closing.push_async_callback(transport.aclose)

    async def exchange(self, url: httpx.URL, headers: list[tuple[str, str]]) -> Response | NoResponse:
        """Send a GET request and read the whole response, within the bounds. `headers` must include `Host`."""
        request = httpx.Request("GET", url, headers=headers, extensions=self._extensions)
        transport = self._secure if url.scheme == "https" else self._plain
        reader = _ResponseReader(self._bounds.max_bytes)
        try:
            async with asyncio.timeout(self._bounds.total_seconds) as total:
                return await reader.read(await transport.handle_async_request(request))
        except TimeoutError as error:
            too_slow = f"the response was not complete after {self._bounds.total_seconds:g} s"
            return reader.failure(Fault.TIMEOUT, too_slow if total.expired() else described(error))
        except self._errors as error:
            return reader.failure(*self._classified(error))


class _ResponseReader:
    """Reads a response. If that fails midway, the part that had arrived is still known."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._status: int | None = None
        self._headers: Headers = ()
        self._chunks: list[bytes] = []

    async def read(self, response: httpx.Response) -> Response | NoResponse:
        self._status = response.status_code
        self._headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101  for the type checker: both transports are async
        try:
            return await self._read_body(response, stream)
        finally:
            await stream.aclose()

    async def _read_body(self, response: httpx.Response, stream: httpx.AsyncByteStream) -> Response | NoResponse:
        announced = first(self._headers, "content-length") or ""
        if announced.isdigit() and int(announced) > self._limit:
            return self.failure(Fault.TOO_LARGE, f"Content-Length is {announced} bytes, at most {self._limit} allowed")
        received = 0
        async for chunk in stream:
            self._chunks.append(chunk)
            received += len(chunk)
            if received > self._limit:
                return self.failure(Fault.TOO_LARGE, f"more than {self._limit} bytes")
        payload = b"".join(self._chunks)
        content = decode(payload, first(self._headers, "content-encoding") or "", self._limit)
        if isinstance(content, Undecodable):
            return self.failure(content.fault, content.detail)
        reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
        version = response.extensions.get("http_version", b"HTTP/1.1").decode("ascii")
        return Response(response.status_code, reason, version, self._headers, payload, content)

    def failure(self, fault: Fault, detail: str) -> NoResponse:
        return NoResponse(fault, detail, self._status, sum(map(len, self._chunks)))
