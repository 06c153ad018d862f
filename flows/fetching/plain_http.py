"""Plain http through aiohttp. Imported on first use: the real Naver is reached by https alone."""

from __future__ import annotations

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from flows.fetching.exceptions import described
from schemas.page import Fault

ClientError = aiohttp.ClientError
"""What it raises besides the exceptions of httpx."""


def plain_transport() -> AiohttpTransport:
    """A new transport."""
    return AiohttpTransport(verify=False, client=_session)  # never used for https


def classified(error: Exception) -> tuple[Fault, str]:
    """The fault and detail of an exception. httpx-aiohttp reports most as timeouts, so the cause decides."""
    cause = error.__cause__ if isinstance(error.__cause__, ClientError) else error
    if isinstance(cause, (TimeoutError, httpx.TimeoutException)):
        return Fault.TIMEOUT, described(cause)
    if isinstance(cause, aiohttp.ClientResponseError):
        return Fault.BAD_ANSWER, described(cause)
    return Fault.CONNECTION, described(cause)


def _session() -> aiohttp.ClientSession:
    """A stateless session: no cookies, and no limit other than the throttle."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
    )
    # Otherwise it would silently repeat a request whose connection was closed, bypassing throttle and request log.
    session._retry_connection = False
    return session
