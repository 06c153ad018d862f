"""The names of unfinished WARC files, in `state/open_capture`, until the database has been closed after the run.

The next start finds there the files of a run that was killed, without reading the archive.
"""

from __future__ import annotations

import re
from pathlib import Path

from schemas.errors import ArchiveDamaged
from storage.files import replacing
from storage.layout import OPEN_CAPTURE

_NAME = re.compile(r"captures/\d{4}/\d\d/\d\d/[^/\x00]+\.warc\.gz")


def add(root: Path, name: str) -> None:
    """Record a file before it is created. Raises OSError, ArchiveDamaged."""
    names = [*read(root), name]
    with replacing(root / OPEN_CAPTURE) as part:
        part.write_text("".join(f"{one}\n" for one in names), "utf-8")


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
