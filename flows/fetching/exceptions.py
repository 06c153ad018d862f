"""Exceptions of the network as faults of a fetch."""

from __future__ import annotations

import httpx

from schemas.page import Fault


def classified(error: Exception) -> tuple[Fault, str]:
    """The fault and detail of an exception of httpx or the operating system."""
    is_timeout = isinstance(error, (TimeoutError, httpx.TimeoutException))
    return Fault.TIMEOUT if is_timeout else Fault.CONNECTION, described(error)


def described(error: BaseException) -> str:
    """An exception in words."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
