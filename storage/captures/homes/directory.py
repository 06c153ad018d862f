"""Captures in the archive's directory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.files import inside


class DirectoryStore:
    """The files below `captures/` of an archive: the default home."""

    roll_at = 256 * 1024 * 1024

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, since: str = "") -> list[str]:
        """See `CaptureStore`."""
        return in_runs(local_names(self._root, since))

    def sizes(self) -> dict[str, int]:
        """See `CaptureStore`."""
        return local_sizes(self._root)

    @contextmanager
    def whole(self, name: str) -> Iterator[Path]:
        """See `CaptureStore`."""
        yield inside(self._root, name)

    @contextmanager
    def record(self, name: str, offset: int, length: int | None) -> Iterator[BinaryIO]:
        """See `CaptureStore`."""
        with inside(self._root, name).open("rb") as file:
            file.seek(offset)
            yield file


def local_names(root: Path, since: str = "") -> list[str]:
    """The WARC files in the archive's directory, only in folders of the name `since` or later."""
    found = []
    for path, folders, files in os.walk(root / "captures"):
        folder = Path(path).relative_to(root).as_posix()
        folders[:] = [name for name in folders if f"{folder}/{name}" >= since[: len(folder) + 1 + len(name)]]
        found += [f"{folder}/{name}" for name in files if name.endswith(".warc.gz")]
    return found


def local_sizes(root: Path) -> dict[str, int]:
    """The sizes of the WARC files in the archive's directory, in bytes."""
    return {name: (root / name).stat().st_size for name in local_names(root)}


def in_runs(names: Iterable[str]) -> list[str]:
    """WARC files with those of a run together and in order: their names begin with the time of the run."""
    return sorted(names, key=lambda name: name.rpartition("/")[2])
