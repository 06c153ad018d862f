"""The names of unfinished WARC files, in `state/open_capture`, until the database file has everything in them.

That is when it has been closed after the run; with an object store, for all files but the last, a checkpoint earlier.

The next start finds there the files of a run that was killed, without reading the archive.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from schemas.errors import ArchiveDamaged
from storage.files import replacing
from storage.layout import OPEN_CAPTURE

_NAME = re.compile(r"captures/\d{4}/\d\d/\d\d/[^/\x00]+\.warc\.gz")


def add(root: Path, name: str) -> None:
    """Record a file before it is created. Raises OSError, ArchiveDamaged."""
    _write(root, [*read(root), name])


def remove(root: Path, names: Collection[str]) -> None:
    """Remove files that the next start need not read. Raises OSError, ArchiveDamaged."""
    _write(root, [name for name in read(root) if name not in names])


def _write(root: Path, names: Iterable[str]) -> None:
    with replacing(root / OPEN_CAPTURE) as part:
        part.write_text("".join(f"{name}\n" for name in names), "utf-8")


def read(root: Path) -> list[str]:
    """The names, in the order in which they were recorded. Raises ArchiveDamaged if the file is not a list of names."""
    path = root / OPEN_CAPTURE
    try:
        names = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise ArchiveDamaged(f"{path} is damaged ({error})") from error
    if wrong := [name for name in names if not _NAME.fullmatch(name)]:
        raise ArchiveDamaged(f"{path} is damaged ({wrong[0]!r:.80} is not the name of a capture)")
    return names
