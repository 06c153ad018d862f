"""Opens the writer's database of an archive. Creates it in a new archive; rejects an archive that has lost it."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import ArchiveDamaged
from storage import files, layout
from storage.captures.reader import capture_names
from storage.database import snapshot
from storage.database.writer import Database, storage_faults
from storage.state import checksums


def open_database(root: Path) -> tuple[Database, list[str]]:
    """The writer's database, and a note if its log had to be set aside. A new archive gets an empty snapshot as well.

    The caller must hold the lease. Raises ArchiveDamaged, ArchiveTooNew, StorageFault.
    """
    _check_not_lost(root)
    if not (root / layout.SNAPSHOT).exists():
        _publish_empty(root)
    with storage_faults(root):
        checksums.forget(root, layout.WRITER_DATABASE)
    return _open(root)


def _check_not_lost(root: Path) -> None:
    """Raise ArchiveDamaged for an archive without its database. As a new archive, it would fetch everything again."""
    if (root / layout.WRITER_DATABASE).exists():
        return
    left = ["captures"] if capture_names(root) else []
    left += [layout.SNAPSHOT] if (root / layout.SNAPSHOT).exists() else []
    if left:
        raise ArchiveDamaged(f"{root} has {' and '.join(left)}, but no {layout.WRITER_DATABASE}. Run: seogo repair")


def _publish_empty(root: Path) -> None:
    """Publish an empty snapshot, so that readers can open a new archive at once."""
    writer = root / layout.WRITER_DATABASE
    try:
        Database.open(writer).close()
    except ArchiveDamaged:
        if capture_names(root):
            raise
        # No run has started: an incomplete database is from a start that was killed, or ran out of space.
        for path in (writer, writer.with_name(f"{writer.name}.wal")):
            path.unlink(missing_ok=True)
        Database.open(writer).close()
    with storage_faults(root):
        files.sync_folder(writer.parent)
    snapshot.publish(writer, root / layout.SNAPSHOT, temporary=root / layout.SNAPSHOT_PART)


def _open(root: Path) -> tuple[Database, list[str]]:
    """Open the database, without its log if necessary.

    A log that belongs to an older state of the file, which DuckDB leaves behind in rare cases, keeps it from being
    opened. Everything in it is also in the journals, which `storage.journal.recovery` replays.
    """
    path = root / layout.WRITER_DATABASE
    log = path.with_name(f"{path.name}.wal")
    try:
        return Database.open(path), []
    except ArchiveDamaged:
        if not log.exists():
            raise
    target = files.set_aside(root, log)
    return Database.open(path), [f"the database's log could not be read; it is kept as {target.relative_to(root)}"]
