"""Appends the captures of a run to WARC files (ISO 28500), before anything is derived from them.

Each record is one gzip member. A request and its response are a pair; the payload is stored as received, with its
digest. A response that is byte for byte the one that the archive already has becomes a `revisit` record. The run's
journal is stored as `metadata` records. Each run writes its own files, `captures/2025/12/30/{run}-00000.warc.gz`, so
nothing is appended after a tail that a killed process may have torn. The names of a run's files are in
`state/open_capture` until the run has ended, so that the next start finds them without reading the archive.
"""

from __future__ import annotations

import hashlib
import os
import threading
from base64 import b32encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import quote, urlsplit

from fastwarc.warc import WarcRecordType

from schemas.errors import ArchiveDamaged, ObjectStoreFault, StorageFault
from schemas.page import CaptureRef, RawPage
from storage.captures import open_captures, warc
from storage.captures.reader import ORIGINAL, REQUESTED_URI, WHY, Payload, payload_of
from storage.files import make_folder, sync_folder

ROLL_AT = 256 * 1024 * 1024
"""The size in bytes after which a new file is started."""

_CHUNK = 1024 * 1024

JOURNAL_TYPE = "application/vnd.seogo.journal+json"
"""The content type of journal entries."""

_SAME_PAYLOAD = "http://netpreservefoundation.org/warc/1.1/revisit/identical-payload-digest"
_HOP_BY_HOP = frozenset({"transfer-encoding", "connection", "keep-alive"})


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """A finished file: its name relative to the archive, its size, and its SHA-256 (64 hex digits)."""

    name: str
    bytes: int
    sha256: str
    run_id: str


class CaptureWriter:
    """Appends records to the WARC files of one run. One thread may append while another syncs."""

    def __init__(self, archive: Path, run_id: str, *, software: str, roll_at: int = ROLL_AT) -> None:
        self.finished: list[CaptureFile] = []
        self._archive = archive
        self._run_id = run_id
        self._software = software
        self._roll_at = roll_at
        self._file: BinaryIO | None = None
        self._name = ""
        self._sha256, self._hashed = hashlib.sha256(), 0
        self._number = 0
        self._unsynced = False
        self._lock = threading.RLock()
        self._hashing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append_page(self, page: RawPage, earlier: CaptureRef | None = None) -> CaptureRef:
        """Append a request and its response. Returns a reference to the record that contains the payload.

        `earlier` is an earlier capture of the same article: if its payload is the same, it is not stored again, and
        `earlier` is returned.
        """
        same = self._payload_of(earlier) if earlier is not None else None
        if same is not None and same.digest != _digest(page.payload):
            same = None
        # Records of a segment are copied as they are: to compress a page again would take as long as to parse it.
        records = page.records if page.records and same is None else exchange(page, same)
        ref = self._append(page.fetched_at, *records)
        return earlier if same is not None and earlier is not None else ref

    def append_file(self, name: str, data: bytes, now: datetime) -> CaptureRef:
        """Append an imported file as a `resource` record."""
        fields = [
            ("WARC-Target-URI", f"urn:seogo:imported:{quote(name)}"),
            ("Content-Type", "text/markdown; charset=utf-8"),
        ]
        return self._append(now, warc.member(WarcRecordType.resource, now, fields, data, payload=data))

    def append_entry(self, entry: bytes, now: datetime) -> CaptureRef:
        """Append an entry of the run's journal as a `metadata` record."""
        fields = [("WARC-Target-URI", f"urn:seogo:run:{self._run_id}"), ("Content-Type", JOURNAL_TYPE)]
        return self._append(now, warc.member(WarcRecordType.metadata, now, fields, entry, payload=entry))

    def sync(self) -> None:
        """Flush everything appended so far to the disk. Must be called before anything derived from it is committed."""
        with self._lock:
            if self._file is None or not self._unsynced:
                return
            with self._storage_faults():
                descriptor = os.dup(self._file.fileno())
            name, end, self._unsynced = self._name, self._file.tell(), False
        # Outside the lock: a sync takes long, and the fetching thread continues to append meanwhile.
        try:
            with self._storage_faults():
                os.fdatasync(descriptor)
                self._hash(name, end)
        except StorageFault:
            self._unsynced = True
            raise
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Sync and close the file, which ends in a complete record."""
        with self._lock:
            if self._file is not None:
                file = self._file
                with self._storage_faults():
                    os.fdatasync(file.fileno())
                    self._hash(self._name, file.tell())
                self.finished.append(CaptureFile(self._name, file.tell(), self._sha256.hexdigest(), self._run_id))
                file.close()
                self._file = None

    def unmark(self, files: Iterable[CaptureFile]) -> None:
        """Finished files are no longer marked as open: the database file has what is in them. Raises StorageFault."""
        with self._lock, self._storage_faults():
            open_captures.remove(self._archive, {file.name for file in files})

    def _payload_of(self, ref: CaptureRef) -> Payload | None:
        # If it is damaged, or its object store away, the response is stored in full; `verify` reports the damage.
        with suppress(ArchiveDamaged, ObjectStoreFault):
            return payload_of(self._archive, ref)
        return None

    def _append(self, now: datetime, record: bytes, *others: bytes) -> CaptureRef:
        """Append a record, and others that belong to it. Returns a reference to the first."""
        with self._lock:
            file = self._open(now)
            offset = file.tell()
            self._write(file, b"".join([record, *others]))
            return CaptureRef(self._name, offset, len(record))

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
            make_folder(path.parent)
            open_captures.add(self._archive, self._name)
            file = self._file = path.open("xb", buffering=0)
            sync_folder(path.parent)
        except OSError as error:
            raise StorageFault(
                f"{path} cannot be created: {error.strerror}. Free space or correct the permissions."
            ) from error
        self._sha256, self._hashed = hashlib.sha256(), 0
        info = [("software", self._software), ("format", "WARC File Format 1.1"), ("isPartOf", self._run_id)]
        fields = [("WARC-Filename", path.name), ("Content-Type", "application/warc-fields")]
        self._write(file, warc.member(WarcRecordType.warcinfo, now, fields, warc.header_lines(info, "utf-8")[:-2]))
        return file

    def _write(self, file: BinaryIO, data: bytes) -> None:
        # Unbuffered: a killed process loses nothing that it had captured. All or nothing: no record could be read after
        # one that was cut short by a full disk.
        whole = file.tell()
        try:
            with self._storage_faults():
                write_all(file, data)
        except StorageFault:
            file.truncate(whole)
            file.seek(whole)
            raise
        self._unsynced = True

    def _hash(self, name: str, end: int) -> None:
        """Add the bytes up to `end` to the file's digest. Not in `_append`, which must not block the event loop."""
        with self._hashing:
            if name != self._name or end <= self._hashed:
                return  # a new file was started meanwhile, and this one hashed to its end
            with (self._archive / name).open("rb") as file:
                file.seek(self._hashed)
                while chunk := file.read(min(_CHUNK, end - self._hashed)):
                    self._sha256.update(chunk)
                    self._hashed += len(chunk)

    @contextmanager
    def _storage_faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageFault(
                f"{self._archive / self._name}: {error.strerror}. Free space; what was synced before is safe."
            ) from error


def write_all(file: BinaryIO, data: bytes) -> None:
    """Write all of `data` to an unbuffered file."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def exchange(page: RawPage, same: Payload | None = None) -> tuple[bytes, bytes]:
    """The two records of an exchange, as gzip members. `same`: the capture that already contains this payload."""
    name = warc.new_name()
    return (_response(page, name) if same is None else _revisit(page, name, same)), _request(page, name)


def _response(page: RawPage, name: str) -> bytes:
    return warc.member(
        WarcRecordType.response,
        page.fetched_at,
        _response_fields(page),
        _response_head(page) + page.payload,
        payload=page.payload,
        name=name,
        is_compressed=page.header("content-encoding") not in (None, "identity"),
    )


def _revisit(page: RawPage, name: str, same: Payload) -> bytes:
    fields = [
        *_response_fields(page),
        ("WARC-Profile", _SAME_PAYLOAD),
        ("WARC-Refers-To", same.record_id),
        ("WARC-Refers-To-Target-URI", same.url),
        ("WARC-Refers-To-Date", same.date),
    ]
    return warc.member(
        WarcRecordType.revisit, page.fetched_at, fields, _response_head(page), payload=page.payload, name=name
    )


def _response_fields(page: RawPage) -> list[tuple[str, str]]:
    requested = [(REQUESTED_URI, page.url)] if page.url != page.final_url else []
    return [
        ("WARC-Target-URI", page.final_url),
        ("WARC-Protocol", page.http_version.lower()),
        ("Content-Type", "application/http; msgtype=response"),
        (WHY, quote(page.why, safe=":/ ")),
        *requested,
    ]


def _response_head(page: RawPage) -> bytes:
    status = f"HTTP/1.1 {page.status} {page.reason}".strip()
    return f"{status}\r\n".encode("latin-1", "replace") + warc.header_lines(_kept(page))


def _request(page: RawPage, name: str) -> bytes:
    return warc.member(
        WarcRecordType.request,
        page.fetched_at,
        [
            ("WARC-Target-URI", page.final_url),
            ("WARC-Concurrent-To", f"<urn:{name}>"),
            ("Content-Type", "application/http; msgtype=request"),
        ],
        f"GET {_target(page.final_url)} HTTP/1.1\r\n".encode() + warc.header_lines(page.request_headers),
    )


def _kept(page: RawPage) -> list[tuple[str, str]]:
    """The response's headers. Those that describe the transfer and not the stored payload get a prefix."""
    return [(f"{ORIGINAL}{k}" if k.lower() in _HOP_BY_HOP else k, v) for k, v in page.headers]


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _digest(payload: bytes) -> str:
    """The digest in the form that WARC uses."""
    return f"sha1:{b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode()}"
