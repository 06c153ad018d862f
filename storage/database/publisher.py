"""Replaces the snapshot for readers: during a long run, and when the archive is closed.

The marker file `state/unpublished` exists while the snapshot is behind the writer's database, in case of a kill.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from schemas.errors import StorageFault
from storage import layout
from storage.database import snapshot
from storage.database.compaction import compact, is_bloated
from storage.database.writer import Database, migrations, storage_faults
from storage.files import sync_folder
from storage.state import checksums
from storage.state.fence import check_held

SMALL = 32 * 1024 * 1024
"""A database of at most this size in bytes is published after every run: the copy takes some hundredths of a second."""

PUBLISH_EVERY = 20.0
"""The minimum time between two snapshots during a run, in seconds."""

_PAUSE = 20.0
"""The minimum time between them in durations of the last one: at most 5 % of a run is spent on snapshots."""

_log = logging.getLogger(__name__)


class Publisher:
    """Publishes the writer's database of the archive at `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._mark = root / layout.UNPUBLISHED
        self._changed = self._mark.exists()
        self._pending = False  # a batch of this run is committed and not published
        self._published_at, self._duration = time.monotonic(), 0.0

    def note_change(self) -> None:
        """Record that the snapshot is behind. Must be called before the commit. Raises StorageFault."""
        if not self._changed:
            with storage_faults(self._root):
                self._mark.touch()
                sync_folder(self._mark.parent)
            self._changed = True

    def note_batch(self) -> None:
        """Record that a batch with changes for readers has been committed."""
        self._pending = True

    def is_due(self) -> bool:
        """Whether a batch is not published yet, and the last snapshot is PUBLISH_EVERY seconds old."""
        return self._pending and time.monotonic() - self._published_at > max(PUBLISH_EVERY, _PAUSE * self._duration)

    def publish_during_run(self, database: Database) -> None:
        """Close the database and publish it; a fault is logged. The marker stays, since the run has not ended."""
        began = time.monotonic()
        try:
            with storage_faults(self._root):
                database.close()
                self._publish(database.path)
            self._pending = False
        except StorageFault as fault:
            # No reason to end the run: it tries again later, and reports the fault at its end.
            _log.warning("readers still see an older snapshot: %s", fault)
        finally:
            self._published_at = time.monotonic()
            self._duration = self._published_at - began

    def close(self, database: Database) -> None:
        """Close the database, and compact its file if much of it is free. Raises StorageFault, ArchiveDamaged."""
        try:
            bloated = self._changed and _is_bloated(database)
        except BaseException:
            database.abandon()  # the first error is the one to report
            raise
        database.close()
        if bloated:
            try:
                compact(database.path, temporary=self._root / "state" / "compact.tmp")
            except StorageFault as fault:
                _log.warning("the database could not be compacted: %s", fault)

    def publish_at_end(self, path: Path, *, ran: bool, complete: bool = True) -> None:
        """Publish the closed database at `path` if readers lack changes or have no snapshot.

        `ran`: a run has ended, so that even without changes a small database is published. Not `complete`: an error
        ended the run, so that something may be missing in what readers see; the marker stays. Raises StorageFault.
        """
        with storage_faults(self._root):
            missing = not (self._root / layout.SNAPSHOT).exists()
            if self._changed or missing or (ran and path.stat().st_size <= SMALL):
                # Synced with the checksum, before the copy: while the marker exists, the snapshot may be an older one.
                self._mark.touch()
                self._publish(path, layout.WRITER_DATABASE)
                if complete:
                    self._mark.unlink(missing_ok=True)

    def _publish(self, path: Path, *names: str) -> None:
        """Replace the snapshot; record its checksum first, also as that of the files of these names."""
        check_held(path.parent)
        schema = migrations()[-1].version
        snapshot.publish(
            path,
            self._root / layout.SNAPSHOT,
            temporary=self._root / layout.SNAPSHOT_PART,
            on_checksum=lambda sha256: checksums.record(
                self._root, path, layout.SNAPSHOT, *names, schema=schema, sha256=sha256
            ),
        )


def _is_bloated(database: Database) -> bool:
    database.checkpoint()
    return is_bloated(database)
