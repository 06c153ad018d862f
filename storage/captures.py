"""Raw answers in WARC files (ISO 28500), appended before anything is derived from them, and read back.

One gzip member a record; request and response as a pair; the payload as it came over the wire, with its digest. Each
run writes files of its own, `captures/2025/12/30/{run}-00000.warc.gz`: nothing is ever appended behind a tail that a
killed process may have torn. The name of a file that is being written stands in `state/open_capture`, so that the
next start finds the torn tail without reading the archive.
"""

from __future__ import annotations

import gzip
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import quote, urlsplit

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from schemas.errors import ArchiveDamaged, StorageFault
from schemas.page import CaptureRef, RawPage
from storage import warc

ROLL_AT = 256 * 1024 * 1024
"""Bytes after which a new file is begun."""

_KEPT_KINDS = (WarcRecordType.response, WarcRecordType.resource)
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
            if self._file is None or not self._unsynced:
                return
            self._unsynced = False
            descriptor = os.dup(self._file.fileno())
        # Outside the lock: the disk takes its time, and the fetching thread goes on appending meanwhile.
        try:
            self._mapped(lambda: os.fdatasync(descriptor))
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Sync and close; the file is known to end in a whole record."""
        with self._lock:
            if self._file is not None:
                file = self._file
                self._mapped(lambda: os.fdatasync(file.fileno()))
                file.close()
                self._file = None
                self._marker.unlink(missing_ok=True)

    def _append_pair(self, page: RawPage) -> CaptureRef:
        file = self._open(page.fetched_at)
        offset = file.tell()
        data = b"".join(_response_and_request(page))
        self._write(file, data)
        return CaptureRef(self._name, offset)

    def _append_resource(self, name: str, data: bytes, now: datetime) -> CaptureRef:
        file = self._open(now)
        offset = file.tell()
        fields = [
            ("WARC-Target-URI", f"urn:seogo:imported:{quote(name)}"),
            ("Content-Type", "text/markdown; charset=utf-8"),
        ]
        member = warc.member(WarcRecordType.resource, now, fields, data, payload=data)
        self._write(file, member)
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
            file = self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise StorageFault(f"{path} cannot be made: {error.strerror}.") from error
        info = [("software", self._software), ("format", "WARC File Format 1.1"), ("isPartOf", self._run_id)]
        fields = [("WARC-Filename", path.name), ("Content-Type", "application/warc-fields")]
        member = warc.member(WarcRecordType.warcinfo, now, fields, warc.header_lines(info, "utf-8")[:-2])
        self._write(file, member)
        return file

    def _write(self, file: BinaryIO, data: bytes) -> None:
        # Straight to the system: a killed process loses nothing that it had captured. Whole or not at all: behind a
        # record that was cut short by a full disk, no other could be read.
        whole = file.tell()
        try:
            self._mapped(lambda: _write_all(file, data))
        except StorageFault:
            file.truncate(whole)
            file.seek(whole)
            raise
        self._unsynced = True

    def _mapped(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            raise StorageFault(
                f"{self._archive / self._name}: {error.strerror}. Free space; what was synced before is safe."
            ) from error


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def read(archive: Path, ref: CaptureRef) -> Capture:
    """The record at `ref`. Raises ArchiveDamaged where there is none."""
    path = archive / ref.file
    try:
        with path.open("rb") as file:
            file.seek(ref.offset)
            record = next(ArchiveIterator(file), None)
            if record is None:
                raise ArchiveDamaged(f"{path} at {ref.offset}: no record begins there.")
            return _capture(record, ref)
    except (OSError, ValueError, zlib.error, EOFError) as error:
        raise ArchiveDamaged(f"{path} at {ref.offset}: no whole record there ({error}).") from error


def scan(archive: Path, name: str) -> Iterator[CaptureRef | str]:
    """Every response and resource of a file, and a sentence for each fault: a digest that differs, a torn tail."""
    path = archive / name
    try:
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=False):
                if not record.verify_block_digest(consume=True):
                    yield f"{name} at {record.stream_pos}: the digest differs"
                elif record.record_type in _KEPT_KINDS:
                    yield CaptureRef(name, record.stream_pos)
        if (end := whole_length(path)) < path.stat().st_size:
            yield f"{name} at {end}: torn, no whole record begins there"
    except (OSError, ValueError, zlib.error, EOFError) as error:
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


def _capture(record: WarcRecord, ref: CaptureRef) -> Capture:
    return Capture(
        ref=ref,
        kind=str(record.record_type),
        url=record.headers["WARC-Target-URI"],
        status=record.http_headers.status_code if record.is_http else None,
        date=record.record_date,
        content=_unpacked(record),
    )


def _unpacked(record: WarcRecord) -> bytes:
    """The payload without its content encoding. It was unpacked within the client's limits when it was fetched."""
    raw = record.reader.read()
    encoding = (record.http_headers.get("Content-Encoding") if record.is_http else None) or ""
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return gzip.decompress(raw)
        case "deflate":
            return zlib.decompress(raw) if raw[:1] == b"\x78" else zlib.decompress(raw, -zlib.MAX_WBITS)
        case _:
            return raw


def _response_and_request(page: RawPage) -> tuple[bytes, bytes]:
    """The two records of an exchange, as gzip members."""
    name, target = warc.new_name(), ("WARC-Target-URI", page.final_url)
    status = f"HTTP/1.1 {page.status} {page.reason}".strip()
    response = warc.member(
        WarcRecordType.response,
        page.fetched_at,
        [target, ("WARC-Protocol", page.http_version.lower()), ("Content-Type", "application/http; msgtype=response")],
        f"{status}\r\n".encode("latin-1", "replace") + warc.header_lines(_kept(page)) + page.payload,
        payload=page.payload,
        name=name,
        packed_already=page.header("content-encoding") not in (None, "identity"),
    )
    request = warc.member(
        WarcRecordType.request,
        page.fetched_at,
        [target, ("WARC-Concurrent-To", f"<urn:{name}>"), ("Content-Type", "application/http; msgtype=request")],
        f"GET {_target(page.final_url)} HTTP/1.1\r\n".encode() + warc.header_lines(page.request_headers),
    )
    return response, request


def _kept(page: RawPage) -> list[tuple[str, str]]:
    """The answer's headers. Those that describe the wire and no longer the payload are kept under another name."""
    return [(f"X-Archive-Orig-{k}" if k.lower() in _HOP_BY_HOP else k, v) for k, v in page.headers]


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
