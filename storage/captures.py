"""Raw answers in WARC files (ISO 28500), appended before anything is derived from them, and read back.

One gzip member a record; request and response as a pair; the payload as it came over the wire, with its digest. Each
run writes files of its own, `captures/2025/12/30/{run}-00000.warc.gz`: nothing is ever appended behind a tail that a
killed process may have torn. The name of a file that is being written stands in `state/open_capture`, so that the
next start finds the torn tail without reading the archive.
"""

from __future__ import annotations

import gzip
import io
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import quote, urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from schemas.errors import ArchiveDamaged, StorageFault
from schemas.page import CaptureRef, RawPage

ROLL_AT = 256 * 1024 * 1024
"""Bytes after which a new file is begun."""

_HOP_BY_HOP = frozenset({"transfer-encoding", "connection", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Capture:
    """A record read back. `content` is unpacked; `kind` is the WARC type, `response` or `resource`."""

    ref: CaptureRef
    kind: str
    url: str
    status: int | None
    date: datetime
    content: bytes


class CaptureWriter:
    """Appends records to this run's WARC files. One thread may append while another syncs."""

    def __init__(self, archive: Path, run_id: str, *, software: str, roll_at: int = ROLL_AT) -> None:
        self._archive = archive
        self._run_id = run_id
        self._software = software
        self._roll_at = roll_at
        self._marker = archive / "state" / "open_capture"
        self._file: BinaryIO | None = None
        self._name = ""
        self._number = 0
        self._unsynced = False
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append_page(self, page: RawPage) -> CaptureRef:
        """Append a request and its response; the reference is the response's."""
        with self._lock:
            return self._append_pair(page)

    def append_file(self, name: str, data: bytes, now: datetime) -> CaptureRef:
        """Append an imported file as a `resource` record."""
        with self._lock:
            return self._append_resource(name, data, now)

    def sync(self) -> None:
        """Make everything appended so far survive a power cut. Called before what is derived from it is committed."""
        with self._lock:
            if self._file is not None and self._unsynced:
                file = self._file
                self._write(file.flush)
                self._write(lambda: os.fdatasync(file.fileno()))
                self._unsynced = False

    def close(self) -> None:
        """Sync and close; the file is known to end in a whole record."""
        with self._lock:
            if self._file is not None:
                self.sync()
                self._file.close()
                self._file = None
                self._marker.unlink(missing_ok=True)

    def _append_pair(self, page: RawPage) -> CaptureRef:
        file = self._open(page.fetched_at)
        offset = file.tell()
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        response = writer.create_warc_record(
            page.final_url,
            "response",
            payload=io.BytesIO(page.payload),
            length=len(page.payload),
            http_headers=StatusAndHeaders(f"{page.status} {page.reason}".strip(), _kept(page), protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": _warc_date(page.fetched_at), "WARC-Protocol": page.http_version.lower()},
        )
        request = writer.create_warc_record(
            page.final_url,
            "request",
            http_headers=StatusAndHeaders(
                f"GET {_target(page.final_url)} HTTP/1.1", list(page.request_headers), is_http_request=True
            ),
            warc_headers_dict={"WARC-Date": _warc_date(page.fetched_at)},
        )
        self._write(lambda: writer.write_request_response_pair(request, response))
        return CaptureRef(self._name, offset)

    def _append_resource(self, name: str, data: bytes, now: datetime) -> CaptureRef:
        file = self._open(now)
        offset = file.tell()
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        record = writer.create_warc_record(
            f"urn:seogo:imported:{quote(name)}",
            "resource",
            payload=io.BytesIO(data),
            length=len(data),
            warc_content_type="text/markdown; charset=utf-8",
            warc_headers_dict={"WARC-Date": _warc_date(now)},
        )
        self._write(lambda: writer.write_record(record))
        return CaptureRef(self._name, offset)

    def _open(self, now: datetime) -> BinaryIO:
        if self._file is not None and self._file.tell() >= self._roll_at:
            self.close()
        return self._file or self._begin(now)

    def _begin(self, now: datetime) -> BinaryIO:
        day = now.astimezone(UTC)
        self._name = f"captures/{day:%Y/%m/%d}/{self._run_id}-{self._number:05d}.warc.gz"
        self._number += 1
        path = self._archive / self._name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._marker.write_text(self._name, "utf-8")
            file = self._file = path.open("xb")
        except OSError as error:
            raise StorageFault(f"{path} cannot be made: {error.strerror}.") from error
        info = {"software": self._software, "format": "WARC File Format 1.1", "isPartOf": self._run_id}
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        self._write(lambda: writer.write_record(writer.create_warcinfo_record(path.name, info)))
        return file

    def _write(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            raise StorageFault(
                f"{self._archive / self._name}: {error.strerror}. Free space; what was synced before is safe."
            ) from error
        self._unsynced = True


def read(archive: Path, ref: CaptureRef) -> Capture:
    """The record at `ref`. Raises ArchiveDamaged where there is none."""
    path = archive / ref.file
    try:
        with path.open("rb") as file:
            file.seek(ref.offset)
            record = next(iter(ArchiveIterator(file)), None)
            if record is None:
                raise ArchiveDamaged(f"{path} at {ref.offset}: the file ends before the record.")
            return _capture(record, ref)
    except (OSError, ArchiveLoadFailed, zlib.error, EOFError) as error:
        raise ArchiveDamaged(f"{path} at {ref.offset}: no whole record there ({error}).") from error


def scan(archive: Path, name: str) -> Iterator[CaptureRef | str]:
    """Every response and resource of a file, and a sentence for each fault: a digest that differs, a torn tail."""
    path = archive / name
    try:
        with path.open("rb") as file:
            records = ArchiveIterator(file, check_digests=True)
            for record in records:
                offset = records.get_record_offset()
                record.content_stream().read() if record.rec_type == "response" else record.raw_stream.read()
                records.read_to_end(record)
                if record.digest_checker and record.digest_checker.passed is False:
                    yield f"{name} at {offset}: the digest differs ({'; '.join(record.digest_checker.problems)})"
                elif record.rec_type in ("response", "resource"):
                    yield CaptureRef(name, offset)
        if (end := whole_length(path)) < path.stat().st_size:
            yield f"{name} at {end}: torn, no whole record begins there"
    except (OSError, ArchiveLoadFailed, zlib.error, EOFError) as error:
        yield f"{name}: cannot be read to its end ({error})"


def cut_torn_tail(archive: Path) -> str | None:
    """Cut what a killed process left half-written. Returns a sentence about it, or None where nothing was torn."""
    marker = archive / "state" / "open_capture"
    if not marker.exists():
        return None
    name = marker.read_text("utf-8").strip()
    path = archive / name
    note = None
    if name and path.is_file():
        size, whole = path.stat().st_size, whole_length(path)
        if whole < size:
            with path.open("rb+") as file:
                file.truncate(whole)
                os.fsync(file.fileno())
            note = f"{name}: cut {size - whole} bytes of a record that a killed run left half-written"
        if whole == 0:
            path.unlink()
    marker.unlink()
    return note


def whole_length(path: Path) -> int:
    """Bytes up to the end of the last whole gzip member of a file."""
    whole = 0
    with path.open("rb") as file:
        unpacker = zlib.decompressobj(wbits=31)
        position = 0
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


def _capture(record: ArcWarcRecord, ref: CaptureRef) -> Capture:
    headers = record.rec_headers
    status = record.http_headers.get_statuscode() if record.http_headers else None
    return Capture(
        ref=ref,
        kind=record.rec_type,
        url=headers.get_header("WARC-Target-URI"),
        status=int(status) if status else None,
        date=datetime.fromisoformat(headers.get_header("WARC-Date")),
        content=_unpacked(record),
    )


def _unpacked(record: ArcWarcRecord) -> bytes:
    """The payload without its content encoding. It was unpacked within the client's limits when it was fetched."""
    raw: bytes = record.raw_stream.read()
    encoding = (record.http_headers.get_header("Content-Encoding") if record.http_headers else None) or ""
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return gzip.decompress(raw)
        case "deflate":
            return zlib.decompress(raw) if raw[:1] == b"\x78" else zlib.decompress(raw, -zlib.MAX_WBITS)
        case _:
            return raw


def _kept(page: RawPage) -> list[tuple[str, str]]:
    """The answer's headers. Those that describe the wire and no longer the payload are kept under another name."""
    return [(f"X-Archive-Orig-{k}" if k.lower() in _HOP_BY_HOP else k, v) for k, v in page.headers]


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _warc_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
