"""Reads captures: a record by its offset, a page as it was fetched, or all records of a file."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from schemas.content_coding import Undecodable, decode
from schemas.errors import ArchiveDamaged
from schemas.page import CaptureRef, RawPage
from storage.files import inside

WHY = "Seogo-Why"
REQUESTED_URI = "Seogo-Asked-URI"
"""seogo's own WARC fields: the purpose of a request, and the URL that was requested if a redirect changed it."""

ORIGINAL = "X-Archive-Orig-"
"""The prefix of a header that describes the transfer and not the stored payload."""

_WITH_CONTENT = WarcRecordType.response | WarcRecordType.resource
_GZIP_MAGIC = b"\x1f\x8b"
_UNLIMITED = 1 << 40


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

    Folders are named by day: `captures/2025/12/30`.
    """
    found = []
    for path, folders, files in os.walk(archive / "captures"):
        folder = Path(path).relative_to(archive).as_posix()
        folders[:] = [name for name in folders if f"{folder}/{name}" >= since[: len(folder) + 1 + len(name)]]
        found += [f"{folder}/{name}" for name in files if name.endswith(".warc.gz")]
    return sorted(found, key=lambda name: name.rpartition("/")[2])


def run_of(name: str) -> str:
    """The run that wrote a file."""
    return name.rpartition("/")[2].removesuffix(".warc.gz").rpartition("-")[0]


def read_capture(archive: Path, ref: CaptureRef) -> Capture:
    """The record at `ref`. Raises ArchiveDamaged if there is none."""
    with _record(archive, ref) as record:
        return _capture(record, ref)


def read_captures(archive: Path, name: str, offsets: Sequence[int]) -> Iterator[tuple[int, Capture | ArchiveDamaged]]:
    """The records of a file at these ascending offsets, or why there is none. Reads the file once, in order."""
    wanted = iter(offsets)
    offset = next(wanted, None)
    # Records that this loop cannot reach, because one before them is damaged, are read one by one.
    with suppress(OSError, ValueError, zlib.error, EOFError, ArchiveDamaged), inside(archive, name).open("rb") as file:
        file.seek(offset or 0)
        for record in ArchiveIterator(file, record_types=_WITH_CONTENT):
            if offset is None or record.stream_pos > offset:
                break
            if record.stream_pos == offset:
                yield offset, _capture(record, CaptureRef(name, offset))
                offset = next(wanted, None)
    while offset is not None:
        yield offset, _capture_or_fault(archive, CaptureRef(name, offset))
        offset = next(wanted, None)


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
        payload, http, headers = record.reader.read(), record.http_headers, record.headers
        final = _target(record, ref)
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
            capture=ref,
        )


def payload_of(archive: Path, ref: CaptureRef) -> Payload | None:
    """How to refer to the response at `ref`; None if there is no response with a digest."""
    with _record(archive, ref) as record:
        digest = record.headers.get("WARC-Payload-Digest")
        if record.record_type != WarcRecordType.response or digest is None:
            return None
        headers = record.headers
        return Payload(str(record.record_id), _target(record, ref), str(headers.get("WARC-Date")), digest)


def scan(archive: Path, name: str) -> Iterator[ScannedRecord | str]:
    """Every complete record of a file, and a sentence for each fault: a damaged record, a torn tail.

    After a damaged record, reading continues with the next complete one.
    """
    path = inside(archive, name)
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
    path = inside(archive, ref.file)
    try:
        with path.open("rb") as file:
            file.seek(ref.offset)
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
        url=_target(record, ref),
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


def _target(record: WarcRecord, ref: CaptureRef) -> str:
    if (url := record.headers.get("WARC-Target-URI")) is None:
        raise ArchiveDamaged(f"{ref.file} at {ref.offset}: a {record.record_type} record without a target URI.")
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
