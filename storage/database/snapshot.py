"""Publishes the snapshot for readers: a copy of the writer's database, replaced by a rename.

A reader that has the old snapshot open keeps it; one that opens it later sees the new one. The writer's database must
be closed while it is copied: DuckDB loses the lock on a file that the same process also opens without DuckDB.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from schemas.errors import StorageFault
from storage.files import replacing, sha256_of


def publish(
    database: Path, snapshot: Path, *, temporary: Path, on_checksum: Callable[[str], None] = lambda sha256: None
) -> None:
    """Replace `snapshot` by a copy of `database`, which must be closed. Raises StorageFault.

    `on_checksum` is called with the SHA-256 of both before the rename.
    """
    wal = database.with_name(database.name + ".wal")
    if wal.exists():
        raise StorageFault(f"{wal} is still there: the database was not closed cleanly. Run again to recover it.")
    try:
        with replacing(snapshot, beside=temporary) as part:
            on_checksum(_copy(database, part))
    except OSError as error:
        raise StorageFault(f"{snapshot} could not be published: {error.strerror}. The old one is untouched.") from error


def _copy(source: Path, target: Path) -> str:
    """Copy a file and return its SHA-256, which is computed in another thread meanwhile."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        checksum = executor.submit(sha256_of, source)
        shutil.copyfile(source, target)
        return checksum.result()
