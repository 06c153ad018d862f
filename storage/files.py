"""Atomic, durable file operations: after a kill or a power cut a file is complete or absent."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from schemas.errors import ArchiveDamaged


@contextmanager
def replacing(path: Path, *, beside: Path | None = None, durable: bool = True) -> Iterator[Path]:
    """Yield the path of a temporary file, which replaces `path` when the block ends without an error.

    A reader of `path` sees the old file or the new one, even after a power cut: the new file is synced before it is
    renamed. `durable`: the rename is synced too. `beside`: the path of the temporary file, on the same file system
    (default: next to `path`).
    """
    part = beside or path.with_name(f".{path.name}.part")
    try:
        yield part
        sync_file(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def own_part(path: Path) -> Path:
    """A temporary file for `path` that no other process uses, for files that several processes may write."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, and sync them."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(root: Path, name: str, examined: set[Path] | None = None) -> Path:
    """The path of an archive's file, given its name in a row, a journal entry or a marker file.

    `examined`: the folders that earlier calls found inside, for many files of few folders; this one's is added. Raises
    ArchiveDamaged for a path outside the archive: `..`, an absolute path, or a folder that is a link out of it.
    """
    path = root / name
    examined = set() if examined is None else examined
    is_inside = path.parent in examined or path.parent.resolve().is_relative_to(root.resolve())
    if not path.name or path.name == ".." or not is_inside:
        raise ArchiveDamaged(f"{name!r} leads out of the archive {root}: nothing was read or written there.")
    examined.add(path.parent)
    return path


def set_aside(root: Path, path: Path) -> Path:
    """Move a file of the archive to `state/set-aside/{moment}/…`. Returns its new path."""
    target = _place_aside(root, path)
    path.rename(target)
    sync_folder(target.parent)
    return target


def keep_aside(root: Path, path: Path) -> Path:
    """Back up a file of the archive, to the same place as `set_aside`, before it is replaced. Returns its path."""
    target = _place_aside(root, path)
    try:
        os.link(path, target)
    except OSError:  # the file system, or the file, does not permit hard links
        shutil.copyfile(path, target)
        sync_file(target)
    sync_folder(target.parent)
    return target


def _place_aside(root: Path, path: Path) -> Path:
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    target = root / "state" / "set-aside" / moment / path.relative_to(root)
    make_folder(target.parent)
    return target


def sync_file(path: Path) -> None:
    """Flush a file's content to the disk, whichever library wrote it."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk: files created, renamed and removed in it."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
