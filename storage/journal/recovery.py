"""Recovery at a start: of a run that was killed, and of a database that was restored from a backup.

`state/open_capture` lists the WARC files of an unfinished run; a restored database is recognized by captures of its
newest day, or later, that it does not know. The torn tail of such files is truncated, the journal entries that the
database lacks are replayed, and responses that no entry mentions are recorded, so that the next run uses them instead
of new requests. Recovery is idempotent: if it is killed, the next start repeats it. It reads nothing else of the
archive.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveDamaged, ObjectStoreFault
from schemas.journal import BatchStored, Entry, RunStarted
from schemas.page import CaptureRef
from storage.captures import open_captures
from storage.captures.homes.store import capture_store
from storage.captures.reader import ScannedRecord, capture_names, first_records, next_whole, run_of, scan, whole_length
from storage.captures.writer import CaptureFile
from storage.database.writer import Database, Row
from storage.files import inside, set_aside, sha256_of
from storage.journal.commit import interrupt, is_committed, is_next, plan_commit
from storage.journal.entries import load_entry
from storage.journal.staging import put_in_place, stage
from storage.layout import OPEN_CAPTURE

_log = logging.getLogger(__name__)

WANTED = "article"
"""Only responses to these requests are kept for the next run (lists are fetched again)."""


@dataclass(slots=True)
class Read:
    """What was read from captures: faults, the number of replayed entries, and responses that no entry mentions.

    `too_late`: runs with entries that the database lacks and that can no longer be replayed.
    """

    faults: list[str] = field(default_factory=list)
    replayed: int = 0
    too_late: set[str] = field(default_factory=set)
    answers: dict[CaptureRef, ScannedRecord] = field(default_factory=dict)

    def note(self, item: ScannedRecord | Entry) -> None:
        """Record a response, or an entry, whose responses are then no longer unmentioned."""
        match item:
            case ScannedRecord(kind="response", why=why) if why == WANTED:
                self.answers[item.ref] = item
            case BatchStored():
                for result in item.results:
                    if result.capture is not None:
                        self.answers.pop(result.capture, None)


def recover(root: Path, db: Database, *, lenient: bool = False) -> list[str]:
    """Bring the database up to date with the captures. Returns a note for each thing done.

    Raises ArchiveDamaged if the database lacks entries of a run earlier than its newest one: they cannot be replayed
    late, only a rebuild has them. `lenient`: a repair takes care of that.
    """
    marked, others, notes = _unfinished(root, db)
    if not marked and not others and not (root / OPEN_CAPTURE).exists():
        return []
    uploaded = {name for name in others if not inside(root, name).is_file()}
    notes += [note for name in marked | others if (note := cut_torn_tail(root, name, marked=name in marked))]
    notes += [note for name in others - uploaded if (note := _set_foreign_aside(root, db, name))]
    names = in_order(root, [name for name in marked | others if name in uploaded or inside(root, name).is_file()])
    with db.ample_memory():
        read = _replay(root, db, names)
    if read.replayed:
        notes.append(f"replayed {read.replayed} journal entries that the database lacked")
    if read.too_late:
        if lenient:
            return notes
        runs = ", ".join(sorted(read.too_late))
        raise ArchiveDamaged(f"{db.path} lacks what {runs} journaled, and has later runs. Run: seogo repair")
    with db.transaction():
        interrupt(db)
        note_unprocessed(db, read)
        db.append("capture_files", file_rows(root, names), replacing=True)
    if read.answers:
        notes.append(f"{len(read.answers)} responses of a killed run are kept: they replace new requests")
    # From here on the database file has everything, and the log of the killed run is not needed any more.
    db.checkpoint()
    _clear_mark(root)
    return [*notes, *read.faults]


def _set_foreign_aside(root: Path, db: Database, name: str) -> str | None:
    """Set aside a file without a readable record, of a run that the database does not know. Returns a note."""
    path = inside(root, name)
    held = db.rows("SELECT run_id FROM runs WHERE run_id = ?", [run_of(name)])
    if held or next_whole(path, 0) is not None:
        return None
    return f"{name}: no record can be read in it; it is kept as {set_aside(root, path).relative_to(root)}"


def _unfinished(root: Path, db: Database) -> tuple[set[str], set[str], list[str]]:
    """The captures that are marked as open, others that the database does not know, and a note about the latter."""
    try:
        marked = set(open_captures.read(root))
    except ArchiveDamaged as error:
        return set(), unknown(root, db), [f"{error}: every capture that the database does not know was read instead"]
    try:
        newer = unknown(root, db, since=_newest_day(db))
    except ObjectStoreFault as fault:
        # No reason to stop: the next start that reaches the store notices what the database lacks.
        _log.warning("whether the database knows all captures was not checked: %s", fault)
        return marked, set(), []
    if newer <= marked:
        return marked, set(), []
    others = unknown(root, db) - marked
    return marked, others, [f"{db.path.name} did not know {len(others)} of the captures: their journals were read"]


def unknown(root: Path, db: Database, since: str = "") -> set[str]:
    """The captures, in folders of the name `since` or later, that the database does not know to be finished."""
    rows = db.rows("SELECT name FROM capture_files WHERE name >= ?", [since])
    return set(capture_names(root, since)) - {row["name"] for row in rows}


def _newest_day(db: Database) -> str:
    """The folder of the newest capture that the database knows. Dates in the future, of a wrong clock, do not count."""
    tomorrow = f"captures/{datetime.now(UTC) + timedelta(days=1):%Y/%m/%d}"
    rows = db.rows("SELECT max(name) AS name FROM capture_files WHERE name < ?", [tomorrow])
    return str(rows[0]["name"] or "").rpartition("/")[0]


def _clear_mark(root: Path) -> None:
    """Remove the mark; one that cannot be read is set aside."""
    try:
        open_captures.read(root)
        (root / OPEN_CAPTURE).unlink(missing_ok=True)
    except ArchiveDamaged:
        set_aside(root, root / OPEN_CAPTURE)


def in_order(root: Path, names: Iterable[str]) -> list[str]:
    """WARC files in the order in which the runs wrote them: by the numbers in the first entries of the runs."""
    ordered = sorted(names, key=lambda name: name.rpartition("/")[2])
    numbers = _run_numbers(root, ordered)
    return sorted(ordered, key=lambda name: numbers[run_of(name)])


def newest_number(root: Path) -> int:
    """The greatest number of a run in the journals; 0 if there is none."""
    return max(_run_numbers(root, capture_names(root)).values(), default=0)


def _run_numbers(root: Path, names: Iterable[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    last = 0
    for name in names:
        run_id = run_of(name)
        if run_id not in numbers:
            # A run whose first entry cannot be read is ordered by its name.
            last = numbers[run_id] = _number_of(root, name) or last
    return numbers


def _number_of(root: Path, name: str) -> int | None:
    for item in islice(first_records(root, name), 2):
        if item.entry is not None:
            with suppress(ArchiveDamaged):  # reported when the record itself is read
                entry = load_entry(item.entry, where=name)
                return entry.number if isinstance(entry, RunStarted) else None
    return None


def catch_up(root: Path, db: Database, names: Sequence[str]) -> int:
    """Replay the entries of these files, in order, that the database lacks. Returns how many."""
    with db.ample_memory():
        return _replay(root, db, names).replayed


def _replay(root: Path, db: Database, names: Sequence[str]) -> Read:
    """Replay each journal entry of these files, in order, that the database lacks and that is not too late."""
    read = Read()
    for name in names:
        for item in scan(root, name):
            if isinstance(item, str):
                read.faults.append(item)
                continue
            read.note(item)
            if item.entry is not None:
                try:
                    entry = load_entry(item.entry, where=f"{name} at {item.ref.offset}")
                except ArchiveDamaged as error:
                    read.faults.append(str(error))
                    continue
                read.note(entry)
                if is_committed(db, entry):
                    continue
                if read.too_late or not is_next(db, entry):
                    read.too_late.add(entry.run_id)
                    continue
                _replay_entry(root, db, entry)
                read.replayed += 1
    return read


def cut_torn_tail(root: Path, name: str, *, marked: bool = True) -> str | None:
    """Truncate an incomplete record that a killed process left. Returns a note; None if the file is complete.

    A file that is not `marked` as open may be damaged rather than torn: then it stays as it is.
    """
    path = inside(root, name)
    if not path.is_file():
        return None
    size, whole = path.stat().st_size, whole_length(path)
    if whole == size > 0 or (not marked and not _is_torn(path, whole)):
        return None
    if whole == 0:
        path.unlink()
    else:
        _truncate(path, whole)
    return f"{name}: cut {size - whole} bytes of a record that a killed run left half-written" if whole < size else None


def _is_torn(path: Path, whole: int) -> bool:
    """Whether an incomplete file begins with whole records, and none follows the incomplete one."""
    return whole > 0 and next_whole(path, whole) is None


def _truncate(path: Path, size: int) -> None:
    with path.open("rb+") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def note_unprocessed(db: Database, read: Read) -> None:
    """Record the responses that no entry mentions. Inside a transaction."""
    rows = {met.url: _unprocessed_row(met) for met in read.answers.values()}
    db.append("unprocessed", list(rows.values()), replacing=True)


def file_rows(root: Path, names: Sequence[str]) -> list[Row]:
    """Rows of `capture_files` for finished files, whose checksums are computed."""
    return capture_file_rows([_finished_file(root, name) for name in names])


def _finished_file(root: Path, name: str) -> CaptureFile:
    with capture_store(root).whole(name) as path:
        return CaptureFile(name, path.stat().st_size, sha256_of(path), run_of(name))


def capture_file_rows(files: Sequence[CaptureFile]) -> list[Row]:
    """Rows of `capture_files`."""
    return [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256, "run_id": f.run_id} for f in files]


def _replay_entry(root: Path, db: Database, entry: Entry) -> None:
    """Commit an entry that the database lacks, and write its Markdown files."""
    commit = plan_commit(db, entry)
    moves = stage(root, entry.run_id, entry.results, entry.style) if isinstance(entry, BatchStored) else []
    commit()
    put_in_place(moves)


def _unprocessed_row(met: ScannedRecord) -> dict[str, Any]:
    return {
        "url": met.url,
        "capture_file": met.ref.file,
        "capture_offset": met.ref.offset,
        "fetched_at": met.date,
    }
