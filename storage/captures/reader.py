"""Reads captures: a record by its offset, a page as it was fetched, or all records of a file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from schemas.content_coding import Undecodable, decode
from schemas.errors import ArchiveDamaged
from schemas.page import CaptureRef, RawPage
from storage.captures.homes.store import capture_store

WHY = "Seogo-Why"
REQUESTED_URI = "Seogo-Asked-URI"
"""seogo's own WARC fields: the purpose of a request, and the URL that was requested if a redirect changed it."""

ORIGINAL = "X-Archive-Orig-"
"""The prefix of a header that describes the transfer and not the stored payload."""

_WITH_CONTENT = WarcRecordType.response | WarcRecordType.resource
_GZIP_MAGIC = b"\x1f\x8b"
_UNLIMITED = 1 << 40
_HEAD = 64 * 1024
_IN_SEQUENCE = 8


@dataclass(frozen=True, slots=True)
class Capture:
    """A record. `content` is decoded; `kind` is the WARC type, `response` or `resource`."""

    ref: CaptureRef
    kind: str
    url: str
    status: int | None
    date: datetime
    content: bytes


@dataclass(frozen=True, slots=True)
class Payload:
    """What a `revisit` record needs to refer to an earlier response. `digest` has the form that WARC uses."""

    record_id: str
    url: str
    date: str
    digest: str


@dataclass(frozen=True, slots=True)
class ScannedRecord:
    """A complete record. `url` is the URL that was requested; `entry` the journal entry in a `metadata` record."""

    ref: CaptureRef
    kind: str
    url: str
    date: datetime
    why: str
    entry: bytes | None = None


def capture_names(archive: Path, since: str = "") -> list[str]:
    """All WARC files, those of a run together and in order. `since`: only in folders of that name or later.

    Folders are named by day: `captures/2025/12/30`. Raises ObjectStoreFault.
    """
    return capture_store(archive).names(since)


def run_of(name: str) -> str:
    """The run that wrote a file."""
    return name.rpartition("/")[2].removesuffix(".warc.gz").rpartition("-")[0]


def read_capture(archive: Path, ref: CaptureRef) -> Capture:
    """The record at `ref`. Raises ArchiveDamaged if there is none."""
    with _record(archive, ref) as record:
        return _capture(record, ref)


def read_captures(archive: Path, refs: Sequence[CaptureRef]) -> Iterator[tuple[CaptureRef, Capture | ArchiveDamaged]]:
    """These records of one file, in its order, or why there is none. If they are many, the file is read in sequence."""
    wanted = iter(refs)
    ref = next(wanted, None)
    if ref is not None and len(refs) >= _IN_SEQUENCE:
        # Records that this loop cannot reach, because one before them is damaged, are read one by one.
        with suppress(OSError, ValueError, zlib.error, EOFError), _whole_file(archive, ref) as file:
            for record in ArchiveIterator(file, record_types=_WITH_CONTENT):
                if ref is None or record.stream_pos > ref.offset:
                    break
                if record.stream_pos == ref.offset:
                    yield ref, _capture(record, ref)
                    ref = next(wanted, None)
    while ref is not None:
        yield ref, _capture_or_fault(archive, ref)
        ref = next(wanted, None)


@contextmanager
def _whole_file(archive: Path, ref: CaptureRef) -> Iterator[BinaryIO]:
    """A file for reading in sequence, from a record on."""
    with capture_store(archive).whole(ref.file) as path, path.open("rb") as file:
        file.seek(ref.offset)
        yield file


def _capture_or_fault(archive: Path, ref: CaptureRef) -> Capture | ArchiveDamaged:
    try:
        return read_capture(archive, ref)
    except ArchiveDamaged as error:
        return error


def read_page(archive: Path, ref: CaptureRef) -> RawPage:
    """The response at `ref`, as it was fetched, but without the request's headers. Raises ArchiveDamaged."""
    with _record(archive, ref) as record:
        if record.record_type != WarcRecordType.response or not record.is_http:
            kind = record.record_type
            raise ArchiveDamaged(f"{archive / ref.file} at {ref.offset}: a {kind} record, not a response.")
        return replace(page_of(record), capture=ref)


def page_of(record: WarcRecord) -> RawPage:
    """The page in a `response` record, without the request's headers. Raises ValueError."""
    if not record.is_http or record.http_headers is None:
        raise ValueError("a response without the headers of HTTP")
    payload, http, headers = record.reader.read(), record.http_headers, record.headers
    final = _target(record)
    return RawPage(
        url=headers.get(REQUESTED_URI) or final,
        final_url=final,
        status=http.status_code or 0,
        reason=http.reason_phrase or "",
        http_version=(headers.get("WARC-Protocol") or "http/1.1").upper(),
        headers=tuple((name.removeprefix(ORIGINAL), value) for name, value in http.astuples()),
        request_headers=(),
        payload=payload,
        content=_decoded(payload, _encoding(record)),
        fetched_at=record.record_date,
        why=unquote(headers.get(WHY) or ""),
    )


def payload_of(archive: Path, ref: CaptureRef) -> Payload | None:
    """How to refer to the response at `ref`; None if there is no response with a digest."""
    with _record(archive, ref) as record:
        digest = record.headers.get("WARC-Payload-Digest")
        if record.record_type != WarcRecordType.response or digest is None:
            return None
        headers = record.headers
        return Payload(str(record.record_id), _target(record), str(headers.get("WARC-Date")), digest)


def scan(archive: Path, name: str) -> Iterator[ScannedRecord | str]:
    """Every complete record of a file, and a sentence for each fault: a damaged record, a torn tail.

    After a damaged record, reading continues with the next complete one. Raises ObjectStoreFault.
    """
    with capture_store(archive).whole(name) as path:
        yield from scan_file(path, name)


def first_records(archive: Path, name: str) -> Iterator[ScannedRecord]:
    """The first records of a file, as far as they are in its first 64 KB and complete. Raises ObjectStoreFault."""
    with suppress(OSError, ValueError, zlib.error, EOFError), capture_store(archive).record(name, 0, _HEAD) as file:
        for record in ArchiveIterator(file, parse_http=False):
            yield _scanned(record, name)


def scan_file(path: Path, name: str) -> Iterator[ScannedRecord | str]:
    """As `scan`, for the local path of a file that is called `name`."""
    start: int | None = 0
    while start is not None:
        last = start - 1
        try:
            for item in _records(path, name, start):
                last = item.ref.offset if isinstance(item, ScannedRecord) else last
                yield item
            start = None
        except (OSError, ValueError, zlib.error, EOFError) as error:
            yield f"{name}: no complete record after {max(last, 0)} ({error})"
            start = next_whole(path, last + 1)


def _records(path: Path, name: str, start: int) -> Iterator[ScannedRecord | str]:
    last = start
    with path.open("rb") as file:
        file.seek(start)
        for record in ArchiveIterator(file, parse_http=False):
            if record.verify_block_digest():
                yield _scanned(record, name)
            else:
                yield f"{name} at {record.stream_pos}: the digest differs"
            last = record.stream_pos
    # What precedes the last record was unpacked, record by record, up to where the next one begins.
    if start == 0 and (end := whole_length(path, last)) < path.stat().st_size:
        yield f"{name} at {end}: torn, no complete record begins there"


def next_whole(path: Path, after: int) -> int | None:
    """Where the next complete record begins. Candidates are checked: they may be compressed pages inside a record."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    stream = BytesIO(data)
    while (after := data.find(_GZIP_MAGIC, after)) >= 0:
        stream.seek(after)
        try:
            record = next(ArchiveIterator(stream, parse_http=False), None)
            if record is not None and record.verify_block_digest():
                return after
        except (OSError, ValueError, zlib.error, EOFError):
            pass
        after += 1
    return None


def whole_length(path: Path, start: int = 0) -> int:
    """Where the last complete gzip member of a file ends. `start`: where one begins, behind complete ones."""
    whole = start
    with path.open("rb") as file:
        file.seek(start)
        unpacker = zlib.decompressobj(wbits=31)
        position = start
        while chunk := file.read(1 << 20):
            while chunk:
                try:
                    unpacker.decompress(chunk)
                except zlib.error:
                    return whole
                if not unpacker.eof:
                    position += len(chunk)
                    break
                position += len(chunk) - len(unpacker.unused_data)
                whole = position
                chunk = unpacker.unused_data
                unpacker = zlib.decompressobj(wbits=31)
    return whole


@contextmanager
def _record(archive: Path, ref: CaptureRef) -> Iterator[WarcRecord]:
    """The record that begins at `ref`, while its file is open."""
    path = archive / ref.file
    try:
        with capture_store(archive).record(ref.file, ref.offset, ref.length) as file:
            record = next(ArchiveIterator(file), None)
            if record is None:
                raise ArchiveDamaged(f"{path} at {ref.offset}: no record begins there.")
            yield record
    except (OSError, ValueError, zlib.error, EOFError) as error:
        raise ArchiveDamaged(f"{path} at {ref.offset}: no complete record there ({error}).") from error


def _capture(record: WarcRecord, ref: CaptureRef) -> Capture:
    return Capture(
        ref=ref,
        kind=str(record.record_type),
        url=_target(record),
        status=record.http_headers.status_code if record.is_http else None,
        date=record.record_date,
        content=_decoded(record.reader.read(), _encoding(record)),
    )


def _scanned(record: WarcRecord, name: str) -> ScannedRecord:
    headers = record.headers
    return ScannedRecord(
        ref=CaptureRef(name, record.stream_pos),
        kind=str(record.record_type),
        url=headers.get(REQUESTED_URI) or headers.get("WARC-Target-URI") or "",
        date=record.record_date,
        why=unquote(headers.get(WHY) or ""),
        entry=record.reader.read() if record.record_type == WarcRecordType.metadata else None,
    )


def _target(record: WarcRecord) -> str:
    if (url := record.headers.get("WARC-Target-URI")) is None:
        raise ValueError(
            f"a {record.record_type} record without a target URI"
        )  # `_record` turns it into ArchiveDamaged
    return str(url)


def _encoding(record: WarcRecord) -> str:
    return (record.http_headers.get("Content-Encoding") if record.is_http else None) or ""


def _decoded(payload: bytes, encoding: str) -> bytes:
    """A payload without its content codings. Its size is not limited here, as it was when the payload was fetched."""
    match decode(payload, encoding, limit=_UNLIMITED):
        case Undecodable(detail=detail):
            raise ValueError(detail)  # `_record` turns it into ArchiveDamaged
        case content:
            return content
