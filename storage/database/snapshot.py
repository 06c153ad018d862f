"""The database for everybody else: a copy of the writer's, replaced whole by rename.

A reader that has the old snapshot open keeps it; one that opens it afterwards sees the new one. The writer's database
must be closed while it is copied: a file that its own process also opens without DuckDB loses its lock.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from schemas.errors import StorageFault
from storage.files import replacing


def publish(
    database: Path, snapshot: Path, *, temporary: Path, seal: Callable[[str], None] = lambda sha256: None
) -> None:
    """Make `snapshot` the copy of `database`, which is closed. Raises StorageFault.

    `seal` is given the SHA-256 of both, before the copy takes its place.
    """
    wal = database.with_name(database.name + ".wal")
    if wal.exists():
        raise StorageFault(f"{wal} is still there: the database was not closed cleanly. Run again to recover it.")
    try:
        with replacing(snapshot, beside=temporary) as part:
            seal(_copy(database, part))
    except OSError as error:
        raise StorageFault(f"{snapshot} could not be published: {error.strerror}. The old one is untouched.") from error


def _copy(source: Path, target: Path) -> str:
    """Copy a file and return its SHA-256, which another core makes meanwhile."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        digest = beside.submit(_sha256, source)
        shutil.copyfile(source, target)
        return digest.result()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
