"""WARC 1.1 records (ISO 28500) as gzip members, one each, by FastWARC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha1
from io import BytesIO
from uuid import uuid4

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import WarcRecord, WarcRecordType

Fields = Iterable[tuple[str, str]]

_AS_IT_IS, _PACKED = 0, 6


def member(
    kind: WarcRecordType,
    at: datetime,
    fields: Fields,
    block: bytes,
    *,
    payload: bytes | None = None,
    name: str | None = None,
    packed_already: bool = False,
) -> bytes:
    """A record with the digests of its block and of the `payload` in it (None: it has none).

    `fields` are the WARC headers beside the mandatory ones, `name` its record id without `urn:` (default: a new one).
    What is `packed_already` is stored as it is instead of being packed once more, which could not make it smaller.
    """
    record = WarcRecord()
    record.init_headers(kind, record_urn=(name or new_name()).encode())
    record.headers["WARC-Date"] = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    for field, value in fields:
        record.headers[field] = value
    record.set_bytes_content(block)
    packed = BytesIO()
    writer = GzipWriter(packed, compression_level=_AS_IT_IS if packed_already else _PACKED)
    digest = None if payload is None else sha1(payload, usedforsecurity=False).digest()
    record.write(writer, checksum_data=True, payload_digest=digest)
    writer.close()
    return packed.getvalue()


def header_lines(fields: Fields, encoding: str = "latin-1") -> bytes:
    """Header fields, a line each, and the blank line behind them. HTTP's are Latin-1, byte for byte as received."""
    return ("".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode(encoding, "replace")


def new_name() -> str:
    """A name for a record that no other has."""
    return f"uuid:{uuid4()}"
