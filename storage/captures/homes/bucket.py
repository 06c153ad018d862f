"""Captures in an object store. Files that have not been uploaded are in the archive's directory, which is the spool."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.captures.homes import settings
from storage.captures.homes.directory import DirectoryStore, in_runs, local_names, local_sizes
from storage.files import inside
from storage.objects.store import ObjectStore, StoredObject, open_store
from storage.scratch import scratch_folder

_FIRST_READ = 64 * 1024
"""How many bytes are read of a record whose length was not recorded; most records are smaller."""

_FOLDER = "captures/"


class BucketStore:
    """The objects below `captures/` at the archive's address, and the files in its spool."""

    roll_at = 64 * 1024 * 1024

    def __init__(self, root: Path, address: str) -> None:
        self._root = root
        self._spool = DirectoryStore(root)
        self.objects: ObjectStore = open_store(address)

    def names(self, since: str = "") -> list[str]:
        """See `CaptureStore`. Raises ObjectStoreFault."""
        return in_runs({*local_names(self._root, since), *self.uploaded(since)})

    def sizes(self) -> dict[str, int]:
        """See `CaptureStore`. Raises ObjectStoreFault."""
        spooled = local_sizes(self._root)
        return {item.name: item.bytes for item in self._objects()} | spooled

    def uploaded(self, since: str = "") -> list[str]:
        """The files in the object store. Raises ObjectStoreFault."""
        return [item.name for item in self._objects(since)]

    def _objects(self, since: str = "") -> list[StoredObject]:
        # A list begins after a name: the one with the least character before `/` excludes nothing of the folder.
        found = list(self.objects.list(_FOLDER, after=f"{since}." if since > _FOLDER else ""))
        if not found and not since:
            settings.require_mark(self.objects, str(settings.load(self._root).id), self._root)
        return [item for item in found if item.name.endswith(".warc.gz")]

    @contextmanager
    def whole(self, name: str) -> Iterator[Path]:
        """See `CaptureStore`. A file that is not in the spool is downloaded to a temporary one."""
        path = inside(self._root, name)
        if path.is_file():
            yield path
            return
        with scratch_folder(self._root) as folder:
            copy = folder / path.name
            with copy.open("wb") as file:
                self.objects.download(name, file)
            yield copy

    @contextmanager
    def record(self, name: str, offset: int, length: int | None) -> Iterator[BinaryIO]:
        """See `CaptureStore`. One request if the length is known, else one for most records and two for the others."""
        with ExitStack() as opened:
            try:
                file = opened.enter_context(self._spool.record(name, offset, length))
            except FileNotFoundError:  # uploaded, perhaps just now
                file = io.BytesIO(self._range(name, offset, length))
            yield file

    def _range(self, name: str, offset: int, length: int | None) -> bytes:
        if length is not None:
            return self.objects.get_range(name, offset, length)
        data, more = self.objects.get_range(name, offset, _FIRST_READ), _FIRST_READ
        while not _is_whole(data) and len(data) == more:
            more *= 64
            data = self.objects.get_range(name, offset, more)
        return data


def _is_whole(data: bytes) -> bool:
    """Whether a gzip member ends in these bytes; if none begins there, more of them do not help."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacker.decompress(data)
    except zlib.error:
        return True
    return unpacker.eof
