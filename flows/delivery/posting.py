"""One request to a receiver, and what its answer means.

httpx's transport is used directly: no redirect is followed, no proxy, cookie or .netrc of the environment applies, and
no log shows an address. The body of the answer is not looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from importlib.metadata import version

import httpx

_SECONDS = 15.0
"""For one request and its answer, in all."""
_BUSY = frozenset({408, 425, 429, 502, 503, 504})
_GONE = 410
_MOST_BYTES = 65_536
_LONGEST_PAUSE = 86_400.0


class Verdict(Enum):
    """What became of a message: received; refused, which may be due to the message; not received; no receiver."""

    RECEIVED = auto()
    REFUSED = auto()
    AWAY = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a message. `retry_after`: the seconds that the receiver asked to wait. `detail` says what was."""

    verdict: Verdict
    detail: str
    retry_after: float = 0.0


class Postman:
    """Posts messages. Use it as an asynchronous context manager."""

    def __init__(self) -> None:
        self._transport = httpx.AsyncHTTPTransport(trust_env=False)
        self._agent = f"seogo/{version('seogo')}"

    async def __aenter__(self) -> Postman:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._transport.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post one message. What a server or a network does raises nothing."""
        sent = {"content-type": "application/json", "user-agent": self._agent, **headers}
        limits = dict.fromkeys(("connect", "read", "write", "pool"), _SECONDS)
        request = httpx.Request("POST", url, headers=sent, content=body, extensions={"timeout": limits})
        try:
            async with asyncio.timeout(_SECONDS):
                response = await self._transport.handle_async_request(request)
                await _pass_over(response)
        except (httpx.TransportError, OSError) as error:  # TimeoutError is an OSError
            # The text of an error may have the address, which may have a token.
            return Answer(Verdict.AWAY, _fault(error))
        return _meaning(response.status_code, response.headers.get("retry-after", ""))


def _fault(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return f"no answer within {_SECONDS:.0f} seconds"
    return f"no answer ({type(error).__name__})"


async def _pass_over(response: httpx.Response) -> None:
    """Read a short body, so that the connection can be used again; close it after a long one."""
    received = 0
    try:
        async for part in response.aiter_raw():
            received += len(part)
            if received > _MOST_BYTES:
                return
    finally:
        await response.aclose()


def _meaning(status: int, retry_after: str) -> Answer:
    pause = min(float(retry_after), _LONGEST_PAUSE) if retry_after.isascii() and retry_after.isdecimal() else 0.0
    if 200 <= status < 300:
        return Answer(Verdict.RECEIVED, f"status {status}")
    if status == _GONE:
        return Answer(Verdict.GONE, f"status {status}: the receiver wants no more")
    return Answer(Verdict.AWAY if status in _BUSY else Verdict.REFUSED, f"status {status}", pause)
