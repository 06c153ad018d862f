"""What the next start does about a run that was killed.

The names of the run's WARC files stand in `state/open_capture`. Their torn tail is cut; entries of their journal that
the database lacks are carried out; answers that no entry tells of are noted, so that the next run takes them up
instead of asking again. Each step may itself be killed: the next start does it once more, to the same effect.
Nothing else of the archive is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveDamaged
from schemas.journal import BatchStored, Entry
from schemas.page import CaptureRef
from storage.captures import reader as captures
from storage.captures.writer import CaptureFile
from storage.database.writer import Database
from storage.files import inside, sha256_of
from storage.journal import entries as journal
from storage.journal.commit import interrupt, is_committed, prepared
from storage.journal.staging import put_in_place, stage
from storage.layout import OPEN_CAPTURE

WANTED = "article"
"""Answers to this question are worth keeping for the next run (lists are read anew)."""


@dataclass(slots=True)
class Read:
    """What was read of a run's files: faults, entries taken up, and the answers that no entry of it tells of."""

    faults: list[str] = field(default_factory=list)
    taken_up: int = 0
    answers: dict[CaptureRef, captures.Met] = field(default_factory=dict)

    def note(self, item: captures.Met | Entry) -> None:
        """Take notice of an answer, or of an entry that tells of answers."""
        match item:
            case captures.Met(kind="response", why=why) if why == WANTED:
                self.answers[item.ref] = item
            case BatchStored():
                for result in item.results:
                    if result.capture is not None:
                        self.answers.pop(result.capture, None)


def recover(root: Path, db: Database) -> list[str]:
    """Bring the archive to where the killed run was. Returns sentences about what was done."""
    marker = root / OPEN_CAPTURE
    if not marker.exists():
        return []
    lines = [line for line in marker.read_text("utf-8").splitlines() if line]
    notes = [note for name in lines if (note := cut_torn_tail(root, name))]
    files = [name for name in lines if inside(root, name).is_file()]
    read = _replay(root, files, lambda entry: _carry_out(root, db, entry))
    if read.taken_up:
        notes.append(f"took up {read.taken_up} entries of a killed run's journal that the database lacked")
    with db.transaction():
        interrupt(db)
        note_unprocessed(db, read)
        db.upsert("capture_files", file_table(db, root, files), key="name")
    if read.answers:
        notes.append(f"{len(read.answers)} answers of a killed run are kept: they are not asked for again")
    # From here on the database's own file holds it all, and the killed run's log is not needed any more.
    db.checkpoint()
    marker.unlink()
    return [*notes, *read.faults]


def catch_up(root: Path, db: Database, names: Sequence[str]) -> int:
    """Carry out the entries of these files, in their order, that the database lacks. Returns how many."""
    return _replay(root, names, lambda entry: _carry_out(root, db, entry)).taken_up


def _replay(root: Path, names: Sequence[str], take_up: Callable[[Entry], bool]) -> Read:
    """Hand every journal entry of these files, in order, to `take_up`, which says whether there was anything to do."""
    read = Read()
    for name in names:
        for item in captures.scan(root, name):
            if isinstance(item, str):
                read.faults.append(item)
                continue
            read.note(item)
            if item.entry is not None:
                try:
                    entry = journal.loads(item.entry, where=f"{name} at {item.ref.offset}")
                except ArchiveDamaged as error:
                    read.faults.append(str(error))
                    continue
                read.note(entry)
                read.taken_up += take_up(entry)
    return read


def cut_torn_tail(root: Path, name: str) -> str | None:
    """Cut what a killed process left half-written of a file. Returns a sentence, None where nothing was torn."""
    path = inside(root, name)
    if not path.is_file():
        return None
    size, whole = path.stat().st_size, captures.whole_length(path)
    if whole == 0:
        path.unlink()
    elif whole < size:
        with path.open("rb+") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
    return f"{name}: cut {size - whole} bytes of a record that a killed run left half-written" if whole < size else None


def note_unprocessed(db: Database, read: Read) -> None:
    """Rows for the answers that no entry tells of. Inside a transaction."""
    rows = {met.url: _unprocessed_row(met) for met in read.answers.values()}
    db.upsert("unprocessed", db.table("unprocessed", list(rows.values())), key="url")


def file_table(db: Database, root: Path, names: Sequence[str]) -> Any:
    """Rows of `capture_files` for finished files, read from the disk."""
    return capture_file_table(
        db,
        [
            CaptureFile(name, (root / name).stat().st_size, sha256_of(root / name), captures.run_of(name))
            for name in names
        ],
    )


def capture_file_table(db: Database, files: Sequence[CaptureFile]) -> Any:
    """Rows of `capture_files`."""
    rows = [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256, "run_id": f.run_id} for f in files]
    return db.table("capture_files", rows)


def _carry_out(root: Path, db: Database, entry: Entry) -> bool:
    """Commit an entry that the database lacks, with its files."""
    if is_committed(db, entry):
        return False
    commit = prepared(db, entry)
    moves = stage(root, entry.run_id, entry.results, entry.style) if isinstance(entry, BatchStored) else []
    commit()
    put_in_place(moves)
    return True


def _unprocessed_row(met: captures.Met) -> dict[str, Any]:
    return {
        "url": met.url,
        "capture_file": met.ref.file,
        "capture_offset": met.ref.offset,
        "fetched_at": met.date,
    }
