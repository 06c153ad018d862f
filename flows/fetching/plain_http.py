"""Plain http through aiohttp. Imported on first use: the real Naver is reached by https alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import httpx
from yarl import URL

from flows.fetching.exceptions import described
from flows.fetching.transport import Bounds, Opened, text_of
from schemas.page import Fault

ClientError = aiohttp.ClientError
"""What it raises besides the exceptions of the operating system."""


class PlainHttp:
    """Sends requests in a stateless session: no cookies, no redirects, and no limit other than the throttle."""

    def __init__(self, bounds: Bounds) -> None:
        connect, read = bounds.connect_seconds, bounds.read_seconds
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            auto_decompress=False,
            # aiohttp counts the DNS lookup as waiting for a connection.
            timeout=aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect, sock_read=read),
        )
        # Otherwise it would silently repeat a request whose connection was closed, bypassing throttle and request log.
        self._session._retry_connection = False

    @asynccontextmanager
    async def send(self, url: httpx.URL, headers: list[tuple[str, str]]) -> AsyncIterator[Opened]:
        """Send a GET request; the response is open during the block."""
        async with self._session.get(URL(str(url), encoded=True), headers=headers, allow_redirects=False) as response:
            yield Opened(
                response.status,
                response.reason or "",
                "HTTP/1.1",
                text_of(response.raw_headers),
                aiter(response.content.iter_any()),
            )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


def classified(error: Exception) -> tuple[Fault, str]:
    """The fault and detail of an exception."""
    if isinstance(error, aiohttp.ClientResponseError):
        return Fault.BAD_ANSWER, described(error)
    return Fault.CONNECTION, described(error)
