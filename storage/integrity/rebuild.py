"""The database once more, from nothing but the captures.

Every journal entry of every run, in the order of the runs, carried out in an empty database. What comes out is, row
for row, what the runs had committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from schemas.errors import ArchiveDamaged
from schemas.journal import RunStarted
from storage.captures import reader as captures
from storage.captures.writer import CaptureFile
from storage.database.writer import Database
from storage.journal import entries as journal
from storage.journal import recovery
from storage.journal.commit import interrupt, is_committed, prepared
from storage.layout import REBUILT


class Rebuilt:
    """A second database that grows as captures are read; `read` them in the order of `in_order`."""

    def __init__(self, root: Path, db: Database) -> None:
        self._root = root
        self._db = db
        self._run_id = ""
        self._read = recovery.Read()

    def read(self, name: str) -> Iterator[captures.Met | str]:
        """The records of a capture and its faults, as `scan` gives them; journal entries are carried out on the way."""
        if (run_id := captures.run_of(name)) != self._run_id:
            self._end_run()
            self._run_id = run_id
        for item in captures.scan(self._root, name):
            fault = None if isinstance(item, str) else self._take_up(item)
            yield fault or item

    def keep_seals(self, files: Sequence[CaptureFile]) -> None:
        """Take over what finished WARC files are known to be, byte for byte."""
        with self._db.transaction():
            self._db.upsert("capture_files", recovery.capture_file_table(self._db, files), key="name")

    def finish(self) -> Path:
        """Close the database; it lies at this path."""
        self._end_run()
        with self._db.transaction():
            interrupt(self._db)
        self._db.close()
        return self._db.path

    def _take_up(self, met: captures.Met) -> str | None:
        self._read.note(met)
        if met.entry is None:
            return None
        where = f"{met.ref.file} at {met.ref.offset}"
        try:
            entry = journal.loads(met.entry, where=where)
        except ArchiveDamaged as error:
            return str(error)
        self._read.note(entry)
        if not is_committed(self._db, entry):
            prepared(self._db, entry)()
        return None

    def _end_run(self) -> None:
        with self._db.transaction():
            recovery.note_unprocessed(self._db, self._read)
        self._read = recovery.Read()


def in_order(root: Path) -> list[str]:
    """Every WARC file, in the order in which the runs wrote them: by the numbers that the runs gave themselves."""
    numbers: dict[str, int] = {}
    last = 0
    for name in captures.names(root):
        run_id = captures.run_of(name)
        if run_id not in numbers:
            # A run whose beginning cannot be read goes where its name puts it.
            last = numbers[run_id] = _number_of(root, name) or last
    return sorted(captures.names(root), key=lambda name: numbers[captures.run_of(name)])


def _number_of(root: Path, name: str) -> int | None:
    for item in islice(captures.scan(root, name), 2):
        if isinstance(item, captures.Met) and item.entry is not None:
            with suppress(ArchiveDamaged):  # told of when the record is read in its turn
                entry = journal.loads(item.entry, where=name)
                return entry.number if isinstance(entry, RunStarted) else None
    return None


@contextmanager
def rebuilt(root: Path) -> Iterator[Rebuilt]:
    """An empty second database, for the length of a block; whoever wants to keep it moves it away before the end."""
    path = root / REBUILT
    _remove(path)
    again = Rebuilt(root, Database.open(path, commented=False))
    try:
        yield again
    finally:
        again._db.abandon()
        _remove(path)


def _remove(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}.wal")):
        with suppress(FileNotFoundError):
            name.unlink()
