"""Rebuilds the database from the captures alone, by replaying all journal entries in an empty database.

The result has, row for row, what the runs had committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from schemas.errors import ArchiveDamaged
from storage.captures.homes.store import capture_store
from storage.captures.reader import ScannedRecord, run_of, scan_file
from storage.captures.writer import CaptureFile
from storage.database.writer import Database
from storage.integrity.bulk import build
from storage.integrity.journals.read import JournalReader
from storage.journal import recovery
from storage.journal.commit import interrupt, is_committed, plan_commit
from storage.journal.entries import load_entry
from storage.layout import REBUILT
from storage.stories import follower

PARTS = "state/rebuilt.parts"
"""Rows that wait until a rebuilt database is filled."""


class Rebuilt:
    """A second database that grows as captures are read; `read` them in the order of `recovery.in_order`."""

    def __init__(self, root: Path, db: Database) -> None:
        self._root = root
        self._db = db
        self._run_id = ""
        self._read = recovery.Read()

    def read(self, name: str) -> Iterator[ScannedRecord | str]:
        """The records of a capture and its faults, as `scan` gives them; journal entries are replayed on the way."""
        with capture_store(self._root).whole(name) as path:
            yield from self.read_file(path, name)

    def read_file(self, path: Path, name: str) -> Iterator[ScannedRecord | str]:
        """As `read`, for the local path of a capture."""
        if (run_id := run_of(name)) != self._run_id:
            self._end_run()
            self._run_id = run_id
        for item in scan_file(path, name):
            fault = None if isinstance(item, str) else self._replay(item)
            yield fault or item

    def fill(self, reader: JournalReader) -> None:
        """Instead of `read`: all captures at once, row by row only if there is no faster way."""
        if build(self._db, reader, self._root / PARTS):
            return
        self._db.abandon()
        remove_database(self._db.path)
        self._db = Database.open(self._db.path, commented=False)
        for name in reader.journals().files:
            deque(self.read(name), maxlen=0)

    def keep_checksums(self, files: Sequence[CaptureFile]) -> None:
        """Store the sizes and checksums of finished WARC files."""
        with self._db.transaction():
            self._db.append("capture_files", recovery.capture_file_rows(files), replacing=True)

    def wrong_pairs(self) -> list[tuple[str, str]]:
        """Near-duplicates, by their ids, that are not what the texts come to."""
        return follower.wrong_pairs(self._db)

    def wrong_members(self) -> list[str]:
        """Articles whose story is not what the near-duplicates come to."""
        return follower.wrong_members(self._db)

    def finish(self) -> Path:
        """Close the database, and return its path."""
        self._end_run()
        with self._db.transaction():
            interrupt(self._db)
        self._db.close()
        return self._db.path

    def _replay(self, met: ScannedRecord) -> str | None:
        self._read.note(met)
        if met.entry is None:
            return None
        where = f"{met.ref.file} at {met.ref.offset}"
        try:
            entry = load_entry(met.entry, where=where)
        except ArchiveDamaged as error:
            return str(error)
        self._read.note(entry)
        if not is_committed(self._db, entry):
            plan_commit(self._db, entry)()
        return None

    def _end_run(self) -> None:
        with self._db.transaction():
            recovery.note_unprocessed(self._db, self._read)
        self._read = recovery.Read()


@contextmanager
def rebuilt(root: Path) -> Iterator[Rebuilt]:
    """An empty second database, deleted at the end of the block unless it was moved before."""
    path = root / REBUILT
    remove_database(path)
    again = Rebuilt(root, Database.open(path, commented=False))
    try:
        yield again
    finally:
        again._db.abandon()
        remove_database(path)


def remove_database(path: Path) -> None:
    """Delete a database and its log."""
    for name in (path, path.with_name(f"{path.name}.wal")):
        with suppress(FileNotFoundError):
            name.unlink()
