"""HTTP content codings (RFC 9110, section 8.4.1): decodes gzip and deflate bodies, up to a size limit.

The limit keeps a small body from expanding without bound in memory (a "decompression bomb").
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from schemas.page import Fault

ACCEPTED = "gzip, deflate"
"""The codings that `decode` supports, as the value of `Accept-Encoding`."""

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_CODINGS = 2
_MAX_MEMBERS = 16


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A body that cannot be decoded, and why."""

    fault: Fault
    detail: str


def decode(payload: bytes, content_encoding: str, limit: int) -> bytes | Undecodable:
    """The body without the codings that its `Content-Encoding` header names; `limit` is its largest size in bytes."""
    codings = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if len(codings) > _MAX_CODINGS:
        return Undecodable(
            Fault.BAD_ANSWER, f"{len(codings)} content codings are applied, at most {_MAX_CODINGS} allowed"
        )
    content = payload
    for coding in reversed(codings):
        # A response without a body (304, an empty 404) may still name a coding.
        decoded = _decode_one(coding, content, limit) if content else content
        if isinstance(decoded, Undecodable):
            return decoded
        content = decoded
    return content


def _decode_one(coding: str, data: bytes, limit: int) -> bytes | Undecodable:
    if coding in ("gzip", "x-gzip"):
        return _inflate(data, _GZIP, limit)
    if coding == "deflate":
        # Some servers send the raw stream, without the two-byte zlib header.
        return _inflate(data, zlib.MAX_WBITS if _has_zlib_header(data) else -zlib.MAX_WBITS, limit)
    return Undecodable(Fault.BAD_ANSWER, f"unsupported content coding {coding[:40]!r}")


def _inflate(data: bytes, wbits: int, limit: int) -> bytes | Undecodable:
    parts: list[bytes] = []
    left = limit
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(wbits)
        try:
            part = stream.decompress(data, left + 1)
        except zlib.error as error:
            return Undecodable(Fault.BAD_ANSWER, f"the body cannot be decompressed ({error})")
        left -= len(part)
        if left < 0:
            return Undecodable(Fault.TOO_LARGE, f"more than {limit} bytes after decompression")
        if not stream.eof:
            return Undecodable(Fault.CONNECTION, "the compressed body is truncated")
        parts.append(part)
        data = stream.unused_data
        # Trailing data that is not another gzip member is ignored, as browsers do.
        if wbits != _GZIP or not data.startswith(_GZIP_MAGIC):
            return parts[0] if len(parts) == 1 else b"".join(parts)
    return Undecodable(Fault.BAD_ANSWER, f"more than {_MAX_MEMBERS} gzip members")


def _has_zlib_header(data: bytes) -> bool:
    return data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
