"""The fetcher's side: a segment is spooled on the local disk, sealed, and kept until it is in the store.

    spool/000004.warc.gz.open    the segment that is appended to
    spool/000003.warc.gz         a sealed segment that is not in the store yet

A killed fetcher leaves an open segment: the next start cuts a torn tail and continues with it. Nothing that was fetched
is fetched again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from fastwarc.warc import WarcRecordType

from schemas.errors import ArchiveDamaged, StorageFault
from schemas.page import RawPage
from schemas.segment import MOST_VISITED, SEGMENT_FORMAT, SegmentBegun, SegmentSealed, Visited
from storage.captures import warc, writer
from storage.captures.reader import whole_length
from storage.files import make_folder, sha256_of, sync_file, sync_folder
from storage.inbox.records import Contents, read_contents, record_bytes

_SEALED = re.compile(r"(\d{6})\.warc\.gz")
_OPEN = ".open"


class Spool:
    """The segments of a fetcher while it fetches one chunk. `archive`: the id of the archive that they are for.

    `newest`: the number of the newest segment that has left the spool. Not to be used by two processes at once.
    """

    most_visited = MOST_VISITED

    def __init__(self, folder: Path, *, fetcher: str, chunk: str, archive: str | None, newest: int) -> None:
        self._folder = folder
        self._fetcher, self._chunk, self._archive = fetcher, chunk, archive
        self._newest = newest
        self._file: BinaryIO | None = None
        self._path = folder
        self._contents = Contents()
        with _storage_faults(folder):
            make_folder(folder)
            self._resume()

    @property
    def visited(self) -> list[Visited]:
        """What the open segment says of its addresses."""
        return self._contents.visited

    def page(self, url: str) -> RawPage | None:
        """The page of an address that was fetched before the fetcher was killed, in the open segment."""
        return self._contents.pages.get(url)

    @property
    def room(self) -> int:
        """How many further addresses the open segment may have."""
        return self.most_visited - len(self.visited)

    def append_page(self, page: RawPage) -> None:
        """Append a page. Raises StorageFault."""
        self._append(page.fetched_at, b"".join(writer.exchange(page)))

    def append_visited(self, visited: Visited) -> None:
        """Append that an address was visited; its pages have been appended. Raises StorageFault."""
        self._append(datetime.now(UTC), self._record(visited))
        self.visited.append(visited)

    def seal(self) -> None:
        """Seal the open segment, if there is one: it ends with its own checksum, and is synced. Raises StorageFault."""
        if self._file is None:
            return
        with _storage_faults(self._path):
            sealed = SegmentSealed(len(self.visited), sha256_of(self._path))
            writer.write_all(self._file, self._record(sealed))
            self._file.close()
            self._finish(self._path)
        self._file, self._contents = None, Contents()

    def close(self) -> None:
        """Close the open segment as it is: the next start continues with it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def sealed(self) -> list[tuple[int, Path]]:
        """The sealed segments that are still here, by number."""
        found = [(int(match[1]), path) for path in self._folder.iterdir() if (match := _SEALED.fullmatch(path.name))]
        return sorted(found)

    def drop(self, number: int) -> None:
        """Delete a sealed segment, which is in the store."""
        self._newest = max(self._newest, number)
        (self._folder / _name(number)).unlink()

    # -- the open segment

    def _resume(self) -> None:
        """Go on with the open segment of a killed fetcher; one of another chunk is sealed."""
        for path in sorted(self._folder.glob(f"*{_OPEN}")):
            contents = _repaired(path)
            if contents is None:
                continue
            if contents.sealed is not None:  # killed while it was sealed
                self._finish(path)
                continue
            self._path, self._contents, self._file = path, contents, path.open("ab", buffering=0)
            if contents.begun is not None and contents.begun.chunk != self._chunk:
                self.seal()

    def _finish(self, path: Path) -> None:
        sync_file(path)
        path.rename(path.with_suffix(""))
        sync_folder(self._folder)

    def _append(self, now: datetime, data: bytes) -> None:
        file = self._file or self._begin(now)
        whole = file.tell()
        try:
            with _storage_faults(self._path):
                writer.write_all(file, data)
        except StorageFault:
            file.truncate(whole)  # no record could be read after one that was cut short
            raise

    def _begin(self, now: datetime) -> BinaryIO:
        number = max([self._newest, *(number for number, _ in self.sealed())]) + 1
        self._path = self._folder / f"{_name(number)}{_OPEN}"
        begun = SegmentBegun(SEGMENT_FORMAT, self._fetcher, number, self._chunk, self._archive, now)
        self._contents = Contents(begun=begun)
        software = [("software", f"seogo/{version('seogo')}"), ("format", "WARC File Format 1.1")]
        fields = [("WARC-Filename", _name(number)), ("Content-Type", "application/warc-fields")]
        info = warc.member(WarcRecordType.warcinfo, now, fields, warc.header_lines(software, "utf-8")[:-2])
        with _storage_faults(self._path):
            file = self._file = self._path.open("xb", buffering=0)
            sync_folder(self._folder)
            writer.write_all(file, info + self._record(begun))
        return file

    def _record(self, record: SegmentBegun | Visited | SegmentSealed) -> bytes:
        number = self._contents.begun.number if self._contents.begun else 0
        return record_bytes(record, f"urn:seogo:segment:{self._fetcher}:{number}", datetime.now(UTC))


def visited_in(path: Path, chunk: str) -> list[str]:
    """The ids of the articles in a sealed segment, if it is of this chunk. Raises ArchiveDamaged."""
    try:
        with path.open("rb") as file:
            contents = read_contents(file)
    except ValueError as error:
        raise ArchiveDamaged(f"{path} cannot be read ({error}). Move it away: what it has is fetched again.") from error
    if contents.begun is None or contents.begun.chunk != chunk:
        return []
    return [visited.ref.key.id for visited in contents.visited]


def _name(number: int) -> str:
    return f"{number:06}.warc.gz"


def _repaired(path: Path) -> Contents | None:
    """An open segment without its torn tail; None if nothing of it is whole, and it is deleted."""
    whole = whole_length(path)
    os.truncate(path, whole)
    try:
        with path.open("rb") as file:
            contents = read_contents(file)
    except ValueError as error:
        raise ArchiveDamaged(f"{path} cannot be read ({error}). Move it away: what it has is fetched again.") from error
    if contents.begun is None:
        path.unlink()
        return None
    return contents


@contextmanager
def _storage_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFault(f"{path}: {error.strerror}. Free space, then start again: nothing is lost.") from error
