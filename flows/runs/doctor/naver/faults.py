"""Why a request got no answer, without a server's own words: those may hold anything."""

from __future__ import annotations

from schemas.article import SEOUL
from schemas.errors import LayoutChanged
from schemas.page import Fault, FetchFault

UNREACHABLE = (Fault.CONNECTION, Fault.TIMEOUT)
"""Faults that this machine describes."""

REPORT = "if the newest seogo cannot parse it either: report it with seogo doctor --bundle"
LATER = "try again later"
REFUSED = "try again later; if it stays, Naver may refuse this machine"


def said(fault: FetchFault) -> str:
    """The fault in words."""
    if fault.fault in UNREACHABLE:
        return f"{fault.fault}: {fault.detail}"
    if fault.retry_at is not None:
        return f"the host asked for a pause until {fault.retry_at.astimezone(SEOUL):%Y-%m-%d %H:%M}"
    return f"{fault.fault}" + (f" (status {fault.status})" if fault.status else "")


def unknown_layout(fault: LayoutChanged) -> str:
    """What a page lacks, without the text of the page, which its error contains."""
    return f"unknown layout: {fault.layout} needs {fault.selector!r}, which is not on the page"
