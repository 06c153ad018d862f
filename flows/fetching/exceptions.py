"""Exceptions of the network as faults of a fetch."""

from __future__ import annotations

import httpx

from schemas.page import Fault

_MALFORMED = ("illegal", "malformed", "too long", "Content-Length", "Transfer-Encoding")
"""Words of h11's messages about what is no HTTP response. httpx has one exception for it and for a lost connection."""


def classified(error: Exception) -> tuple[Fault, str]:
    """The fault and detail of an exception of httpx or the operating system."""
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return Fault.TIMEOUT, described(error)
    if isinstance(error, httpx.RemoteProtocolError) and any(word in str(error) for word in _MALFORMED):
        return Fault.BAD_ANSWER, described(error)
    return Fault.CONNECTION, described(error)


def described(error: BaseException) -> str:
    """An exception in words."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
