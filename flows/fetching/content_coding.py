"""Content codings undone within a limit, so that a small answer cannot become a large one in memory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from schemas.page import Fault

ACCEPTED = "gzip, deflate"
"""What we can undo, as the value of `Accept-Encoding`."""

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_CODINGS = 2
_MAX_MEMBERS = 16


@dataclass(frozen=True, slots=True)
class Unusable:
    """A body that cannot be used, and why."""

    fault: Fault
    detail: str


def unpack(payload: bytes, content_encoding: str, limit: int) -> bytes | Unusable:
    """The body as it was before the codings that a `Content-Encoding` header names; at most `limit` bytes of it."""
    codings = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if len(codings) > _MAX_CODINGS:
        return Unusable(Fault.BAD_ANSWER, f"{len(codings)} codings upon each other")
    content = payload
    for coding in reversed(codings):
        # An answer without a body (304, an empty 404) may still name a coding.
        undone = _undo(coding, content, limit) if content else content
        if isinstance(undone, Unusable):
            return undone
        content = undone
    return content


def _undo(coding: str, data: bytes, limit: int) -> bytes | Unusable:
    if coding in ("gzip", "x-gzip"):
        return _inflate(data, _GZIP, limit)
    if coding == "deflate":
        # Some servers send the bare stream, without zlib's two bytes in front.
        return _inflate(data, zlib.MAX_WBITS if _has_zlib_header(data) else -zlib.MAX_WBITS, limit)
    return Unusable(Fault.BAD_ANSWER, f"coded as {coding[:40]!r}, which was not asked for")


def _inflate(data: bytes, wbits: int, limit: int) -> bytes | Unusable:
    parts: list[bytes] = []
    room = limit
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(wbits)
        try:
            part = stream.decompress(data, room + 1)
        except zlib.error as error:
            return Unusable(Fault.BAD_ANSWER, f"cannot be unpacked ({error})")
        room -= len(part)
        if room < 0:
            return Unusable(Fault.TOO_LARGE, f"more than {limit} bytes once unpacked")
        if not stream.eof:
            return Unusable(Fault.CONNECTION, "cut: the packed body has no end")
        parts.append(part)
        data = stream.unused_data
        # What follows a member and is no further one is ignored, as browsers do.
        if wbits != _GZIP or not data.startswith(_GZIP_MAGIC):
            return parts[0] if len(parts) == 1 else b"".join(parts)
    return Unusable(Fault.BAD_ANSWER, f"more than {_MAX_MEMBERS} packed parts")


def _has_zlib_header(data: bytes) -> bool:
    return data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
