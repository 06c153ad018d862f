"""WARC 1.1 records (ISO 28500), written by FastWARC, each compressed into one gzip member."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha1
from io import BytesIO
from uuid import uuid4

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import WarcRecord, WarcRecordType

Fields = Iterable[tuple[str, str]]

_UNCOMPRESSED, _COMPRESSED = 0, 6
_GZIP = 16 + zlib.MAX_WBITS
_LARGE = 64 * 1024
"""Bytes from which FastWARC's compression, which takes half the time of zlib's, is worth the cost of its buffers."""


def member(
    kind: WarcRecordType,
    at: datetime,
    fields: Fields,
    block: bytes,
    *,
    payload: bytes | None = None,
    name: str | None = None,
    is_compressed: bool = False,
) -> bytes:
    """A record with the digests of its block and of the `payload` in it (None: it has none).

    `fields` are the WARC headers besides the mandatory ones, `name` is the record id without `urn:` (default: a new
    one). `is_compressed`: the payload is compressed already and would not become smaller.
    """
    record = WarcRecord()
    record.init_headers(kind, record_urn=(name or new_name()).encode())
    record.headers["WARC-Date"] = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    for field, value in fields:
        record.headers[field] = value
    record.set_bytes_content(block)
    digest = None if payload is None else sha1(payload, usedforsecurity=False).digest()
    plain = BytesIO()
    record.write(plain, checksum_data=True, payload_digest=digest)
    if is_compressed or plain.tell() < _LARGE:
        return zlib.compress(plain.getbuffer(), _UNCOMPRESSED if is_compressed else _COMPRESSED, _GZIP)
    compressed = BytesIO()
    writer = GzipWriter(compressed, compression_level=_COMPRESSED)
    writer.write(plain.getvalue())
    writer.close()
    return compressed.getvalue()


def header_lines(fields: Fields, encoding: str = "latin-1") -> bytes:
    """Header fields, one per line, and a blank line. HTTP headers are in Latin-1, byte for byte as received."""
    return ("".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode(encoding, "replace")


def new_name() -> str:
    """A unique name for a record."""
    return f"uuid:{uuid4()}"
