"""Small promises of the file system: a file is there whole, or not at all."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from schemas.errors import ArchiveDamaged


def write_atomically(path: Path, data: bytes, *, temporary: Path) -> None:
    """Put `data` at `path`: written beside (to `temporary`, on the same file system), synced, renamed.

    Whoever opens `path` sees the old file or the new one. Call `sync_folder` on the parent to make the rename itself
    survive a power cut; a batch does that once for each folder.
    """
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sha256_of(path: Path) -> str:
    """Of a whole file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(root: Path, name: str) -> Path:
    """The path of an archive's file by its name in rows, journals and marks.

    Raises ArchiveDamaged for one that lies elsewhere: `..`, an absolute path, a folder that is a link out of it.
    """
    path = root / name
    if not path.name or path.name == ".." or not path.parent.resolve().is_relative_to(root.resolve()):
        raise ArchiveDamaged(f"{name!r} leads out of the archive {root}: nothing was read or written there.")
    return path


def set_aside(root: Path, path: Path) -> Path:
    """Move a file of the archive out of the way, to `state/set-aside/{moment}/…`. Returns its new path."""
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    target = root / "state" / "set-aside" / moment / path.relative_to(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target)
    return target


def sync_file(path: Path) -> None:
    """Make what was written to a file, by whatever library, survive a power cut."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
