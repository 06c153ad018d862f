"""What a home of captures can do, and which home an archive has."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from storage.captures.homes import settings
from storage.captures.homes.bucket import BucketStore
from storage.captures.homes.directory import DirectoryStore


class CaptureStore(Protocol):
    """The WARC files of an archive, by their names relative to it (`captures/2025/12/30/….warc.gz`)."""

    roll_at: int
    """The size in bytes after which a run starts a new file."""

    def names(self, since: str = "") -> list[str]:
        """All WARC files, those of a run together and in order. `since`: only in folders of that name or later."""
        ...

    def sizes(self) -> dict[str, int]:
        """All WARC files with their sizes in bytes."""
        ...

    def whole(self, name: str) -> AbstractContextManager[Path]:
        """A file for reading in sequence: a local path, good until the block ends.

        Raises ArchiveDamaged, StorageFault.
        """
        ...

    def record(self, name: str, offset: int, length: int | None) -> AbstractContextManager[BinaryIO]:
        """A file for reading the record at `offset`, good until the block ends. Raises as `whole`, or OSError.

        `length`: how many bytes of it are needed; None: to the end of the record.
        """
        ...


def capture_store(root: Path) -> CaptureStore:
    """The home of an archive's captures. Sends no request. Raises BadInput."""
    address = settings.load(root).home
    return BucketStore(root, address) if address else DirectoryStore(root)
