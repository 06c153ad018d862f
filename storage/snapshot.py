"""The database for everybody else: a copy of the writer's, replaced whole by rename.

A reader that has the old copy open keeps it and notices nothing; one that opens it anew sees the new one. The
writer's database must be closed when it is copied: a file that its own process opens beside DuckDB loses its lock.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from schemas.errors import StorageFault
from storage.files import sync_folder


def publish(database: Path, snapshot: Path, *, temporary: Path) -> None:
    """Make `snapshot` the copy of `database`, which is closed. Raises StorageFault."""
    wal = database.with_name(database.name + ".wal")
    if wal.exists():
        raise StorageFault(f"{wal} is still there: the database was not closed cleanly. Run again to recover it.")
    try:
        shutil.copyfile(database, temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(snapshot)
        sync_folder(snapshot.parent)
    except OSError as error:
        raise StorageFault(f"{snapshot} could not be published: {error.strerror}. The old one is untouched.") from error
    finally:
        temporary.unlink(missing_ok=True)
