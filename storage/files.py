"""Small promises of the file system: a file is there whole or not at all, and still there after a power cut."""

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
    """Yield a path to write a file at, which takes the place of `path` when the block ends without an error.

    Whoever opens `path` sees the old file or the new one, also after a power cut: the new file is synced before it is
    renamed. `durable`: the rename is synced, too. `beside`: where the new file is written, on the
    same file system (else next to `path`).
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
    """Where this process alone writes a file that is to be at `path`, to which others may write as well."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are missing, so that they are there after a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


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
    target = _place_aside(root, path)
    path.rename(target)
    sync_folder(target.parent)
    return target


def keep_aside(root: Path, path: Path) -> Path:
    """Keep a file of the archive that is about to be replaced, as `set_aside` does, and leave it where it is."""
    target = _place_aside(root, path)
    try:
        os.link(path, target)
    except OSError:  # no links on this file system, or to this file
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
    """Make what was written to a file, by whatever library, survive a power cut."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Make what was made, renamed and removed in `folder` survive a power cut."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
