"""Verify an archive in any state, and repair what its captures allow.

The captures are the source of truth: a database that is missing, damaged or altered is rebuilt from them, and so is
each Markdown file that is missing or altered. Nothing is deleted: replaced files are kept below `state/set-aside`.
A damaged capture cannot be repaired; as long as the database still has its rows, only the raw response is lost, and the
rows stay.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from schemas.article import Article, ArticleKey
from schemas.errors import ArchiveDamaged, StorageFault
from schemas.front_matter import dumps, from_article
from schemas.front_matter.styles import CODECS
from schemas.journal import BatchStored
from storage import layout
from storage.archive import Archive, opened
from storage.captures import open_captures
from storage.captures.reader import ScannedRecord, capture_names, run_of, scan
from storage.captures.writer import CaptureFile
from storage.database.writer import migrations, storage_faults
from storage.executor import HERE_ALONE, Workers, pool_of
from storage.exports.full import export_faults
from storage.files import inside, keep_aside, make_folder, replacing, set_aside, sync_folder
from storage.integrity import unjournaled
from storage.integrity.journals.read import JournalReader, Journals, OnProgress, ignore_progress, is_large
from storage.integrity.rebuild import rebuilt, remove_database
from storage.integrity.salvage import read_table, salvage
from storage.integrity.verify import Verification, verify
from storage.journal import recovery
from storage.journal.entries import load_entry
from storage.journal.recovery import in_order
from storage.journal.staging import markdown
from storage.search.check import search_index_faults
from storage.search.follower import rebuild_index
from storage.state import checksums, last_verify
from storage.state.last_verify import LastVerify
from storage.state.lease import leased

_SALVAGED = "state/salvaged.duckdb"
_WAIT = 60.0
"""Seconds to wait for a process that updates the search index."""


@dataclass(slots=True)
class Repair:
    """What was repaired, in sentences, and the faults that are left. `aside`: where the replaced files were moved."""

    mended: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)


def verify_archive(
    root: Path, *, wait: float = 0.0, workers: Workers = HERE_ALONE, on_progress: OnProgress = ignore_progress
) -> Verification:
    """Verify the archive at `root`, and its own exports. A database that cannot be opened is a fault, not an error.

    Raises ArchiveBusy, StorageFault, ArchiveTooNew, BadInput if the workers' scheduler cannot be used.
    """
    with leased(root, wait=wait), pool_of(workers, root, worth_it=is_large(root)) as pool:
        exports = export_faults(root, wait=wait)  # first: whether another export is running is said at once
        found = _verified(JournalReader(root, pool=pool, on_progress=on_progress))
        found.faults += exports
        _note(root, found)
        return found


def _note(root: Path, found: Verification) -> None:
    """Store the result of a verification, for reports."""
    first = found.faults[0] if found.faults else ""
    now = datetime.now(UTC)
    last_verify.note(root, LastVerify(now, len(found.faults), first, found.articles, found.files, found.captures))


def repair(
    root: Path, *, wait: float = 0.0, workers: Workers = HERE_ALONE, on_progress: OnProgress = ignore_progress
) -> Repair:
    """Repair what can be repaired. Raises ArchiveBusy, StorageFault, ArchiveTooNew, ArchiveDamaged, BadInput."""
    with leased(root, wait=wait), pool_of(workers, root, worth_it=is_large(root)) as pool, _beyond_repair():
        reader = JournalReader(root, pool=pool, on_progress=on_progress)
        found = _verified(reader)
        return _Repair(reader, found.faults).run(rebuild=found.database_differs) if found.faults else Repair()


def rebuild(
    root: Path, *, wait: float = 0.0, workers: Workers = HERE_ALONE, on_progress: OnProgress = ignore_progress
) -> Repair:
    """Rebuild the database, and every missing or altered file, from the captures. Raises as `repair`."""
    with leased(root, wait=wait), pool_of(workers, root, worth_it=is_large(root)) as pool, _beyond_repair():
        return _Repair(JournalReader(root, pool=pool, on_progress=on_progress), ()).run(rebuild=True)


@contextmanager
def _beyond_repair() -> Iterator[None]:
    """An error of a repair must not advise running a repair."""
    try:
        yield
    except ArchiveDamaged as error:
        said = f"{_without_advice(str(error))}. It cannot be repaired: put the archive back from a copy."
        raise ArchiveDamaged(said) from error


def _without_advice(fault: str) -> str:
    return fault.removesuffix(". Run: seogo repair")


def _verified(reader: JournalReader, found: Verification | None = None) -> Verification:
    """Verify the archive; the lease is held. `found`: by a verification after which nothing has changed."""
    root = reader.root
    broken, before = checksums.faults(root), checksums.known(root)
    try:
        with opened(root) as archive:
            found = found or verify(archive, reader)
        found.faults += search_index_faults(root)
    except ArchiveDamaged as error:
        found = Verification(faults=[f"database {error}"], database_differs=True)
        found.faults += [f"capture {fault}" for fault in _capture_faults(root)]
    found.database_differs |= any(layout.WRITER_DATABASE in fault for fault in broken)
    found.faults[:0] = broken
    if not found.faults:
        schema = migrations()[-1].version
        checksums.record(root, root / layout.WRITER_DATABASE, layout.WRITER_DATABASE, schema=schema)
    elif broken:
        checksums.restore(root, before)  # opening the database removed its checksum, and with it the damage
    return found


def _capture_faults(root: Path) -> Iterator[str]:
    for name in capture_names(root):
        yield from (item for item in scan(root, name) if isinstance(item, str))


class _Repair:
    """The steps of one repair. The lease is held."""

    def __init__(self, reader: JournalReader, faults: Sequence[str]) -> None:
        self._root = reader.root
        self._reader = reader
        self._faults = faults
        self._done = Repair()
        self._salvaged = False  # the writer's database is a copy of one that was set aside

    def run(self, *, rebuild: bool) -> Repair:
        with storage_faults(self._root):
            self._cut_tails()
            # Rows that only a database still has are journaled again before anything is rebuilt.
            if (rebuild or self._rebuild_needed()) and not self._rebuild_database(only_if_journaled=True):
                if self._find_database():
                    self._journal_lost_rows()
                self._rebuild_database()
            with opened(self._root) as archive:
                found = verify(archive, self._reader)
                changed = self._restore_files(archive, found)
                if found.pairs_differ:
                    archive.find_pairs("repair", every=True)
                    self._done.mended.append("near-duplicates and stories: found again in the texts")
                archive.publish_at_end()
            self._rebuild_search_index()
            left = _verified(self._reader, None if changed or found.pairs_differ else found)
            self._done.left = [_without_advice(fault) for fault in left.faults]
        if any(layout.SNAPSHOT in fault for fault in self._faults):
            self._done.mended.append(f"{layout.SNAPSHOT}: copied again")
        return self._done

    def _rebuild_search_index(self) -> None:
        """A repair may add changes to the feed before the cursor of the index."""
        if (self._root / layout.SEARCH_INDEX).exists():
            changes = rebuild_index(self._root, wait=_WAIT).changes
            self._done.mended.append(f"search index: rebuilt from {changes:,} changes")

    def _cut_tails(self) -> None:
        try:
            for name in open_captures.read(self._root):
                recovery.cut_torn_tail(self._root, name)
        except ArchiveDamaged:
            for name in set(capture_names(self._root)) - self._known_checksums().keys():
                recovery.cut_torn_tail(self._root, name, marked=False)

    # -- rows that no readable capture has

    def _is_all_journaled(self) -> bool:
        """Whether no capture is damaged and every run has a journal, as far as a database shows."""
        recorded, files = self._known_checksums(), self._reader.journals().files
        runs = self._known_rows("runs")
        return (
            bool(recorded and runs)
            and all(row.get("batches") is not None for row in runs)
            and all(
                name in files and (files[name].bytes, files[name].sha256) == (one.bytes, one.sha256)
                for name, one in recorded.items()
            )
            and not any(contents.faults for contents in files.values())
        )

    def _rebuild_needed(self) -> bool:
        """Journal the rows that only the database has. Returns whether it has to be rebuilt."""
        try:
            return self._journal_lost_rows()
        except ArchiveDamaged:
            return True

    def _find_database(self) -> bool:
        """Replace the writer's database by the readable tables of it, or else of the snapshot, if there are any."""
        writer, copy = self._root / layout.WRITER_DATABASE, self._root / layout.SNAPSHOT
        source = next((path for path in (writer, copy) if path.is_file() and self._is_salvaged(path)), None)
        if source is None:
            return False
        self._replace_writer(self._root / _SALVAGED)
        self._salvaged = True
        if source == copy:
            self._done.mended.append(f"database: restored from {layout.SNAPSHOT} and the journals")
        return True

    def _is_salvaged(self, path: Path) -> bool:
        """Whether a database could be read: with its log or, if that is damaged, without it."""
        target, log = self._root / _SALVAGED, path.with_name(f"{path.name}.wal")
        while True:
            remove_database(target)
            if salvage(path, target):
                return True
            if not log.exists():
                remove_database(target)
                return False
            self._set_aside(log)

    def _journal_lost_rows(self) -> bool:
        """Journal the rows that only the database has. Returns whether database and journal still differ."""
        with opened(self._root, lenient=True) as archive:
            self._done.mended += archive.notes
            if self._salvaged:
                recovery.catch_up(self._root, archive.database, in_order(self._root, capture_names(self._root)))
            found = verify(archive, self._reader)
            self._restate_rows(archive, found)
            return found.database_differs

    # -- the database

    def _rebuild_database(self, *, only_if_journaled: bool = False) -> bool:
        """Replace the writer's database by a new one, rebuilt from the captures. Returns whether it did.

        `only_if_journaled`: not if the old one may have rows that no readable capture has.
        """
        recorded = self._known_checksums()
        with rebuilt(self._root) as again:
            again.fill(self._reader)
            if only_if_journaled and not self._is_all_journaled():
                return False
            journals = self._reader.journals()
            # Also of missing captures: they are still to be reported as missing.
            again.keep_checksums([*recorded.values(), *_current_checksums(journals, recorded)])
            self._replace_writer(again.finish())
        entries, captures = journals.fold.entries, len(journals.files)
        self._done.mended.append(f"database: rebuilt from {entries} journal entries in {captures} captures")
        return True

    def _replace_writer(self, new: Path) -> None:
        """Replace the writer's database, which is kept aside unless it is a copy of one that was."""
        writer = self._root / layout.WRITER_DATABASE
        self._set_aside(writer.with_name(f"{writer.name}.wal"))  # the new database must not replay it
        if not self._salvaged:
            self._keep_aside(writer)
        checksums.forget(self._root, layout.WRITER_DATABASE)
        new.replace(writer)
        sync_folder(writer.parent)

    def _known_checksums(self) -> dict[str, CaptureFile]:
        """The rows of the WARC files, as far as they can be read."""
        return {row["name"]: CaptureFile(**row) for row in self._known_rows("capture_files")}

    def _known_rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table in the writer's database, or else in the snapshot, if either can be read."""
        for path in (self._root / layout.WRITER_DATABASE, self._root / layout.SNAPSHOT):
            with suppress(ArchiveDamaged, StorageFault):
                return read_table(path, table)
        return []

    def _restate_rows(self, archive: Archive, found: Verification) -> None:
        """Journal the rows of damaged captures, and of runs from before there was a journal."""
        runs = {run_of(name) for name in found.damaged_captures} | set(
            unjournaled.runs_without_journal(archive.database)
        )
        if not runs:
            return
        with rebuilt(self._root) as again:
            for name in in_order(self._root, capture_names(self._root)):
                deque(again.read(name), maxlen=0)
            second = again.finish()
            lost = unjournaled.rows_lost(archive.database, second, sorted(runs))
            gone = unjournaled.gone(archive.database, second)
        if lost or gone:
            unjournaled.restate(archive, lost, gone)
            number = sum(map(len, [*lost.values(), *gone.values()]))
            self._done.mended.append(f"journal: {number} rows that no readable capture has were journaled again")

    # -- files

    def _restore_files(self, archive: Archive, found: Verification) -> bool:
        """Restore the files that are missing or altered. Returns whether there were any."""
        wanted = unjournaled.rows_of_files(archive.database, found.lost_files)
        for row in wanted:
            data = _from_row(row) or self._from_journal(row)
            if data is None:
                continue  # the last verification reports it
            path = inside(self._root, row["file"])
            self._keep_aside(path)
            make_folder(path.parent)
            with replacing(path, beside=self._root / "state" / "repair.tmp") as part:
                part.write_bytes(data)
            self._done.mended.append(f"file {row['file']}: restored")
        return bool(found.lost_files)

    def _from_journal(self, row: Mapping[str, Any]) -> bytes | None:
        """The file as the run wrote it: its text may differ from the row's in Unicode normalization."""
        for name in capture_names(self._root):
            if run_of(name) != row["run_id"]:
                continue
            for item in scan(self._root, name):
                if isinstance(item, ScannedRecord) and item.entry is not None:
                    entry = load_entry(item.entry, where=name)
                    if isinstance(entry, BatchStored) and (data := _in_batch(entry, row)) is not None:
                        return data
        return None

    def _set_aside(self, path: Path) -> None:
        """Set a file aside, if it exists."""
        if path.exists():
            self._done.aside.append(set_aside(self._root, path).relative_to(self._root).as_posix())

    def _keep_aside(self, path: Path) -> None:
        """Keep a copy of a file that is about to be replaced, if it exists."""
        if path.exists():
            self._done.aside.append(keep_aside(self._root, path).relative_to(self._root).as_posix())


def _current_checksums(journals: Journals, recorded: Collection[str]) -> Iterator[CaptureFile]:
    """The current checksums of the other WARC files that have a readable record."""
    for name, contents in journals.files.items():
        if name not in recorded and contents.records:
            yield CaptureFile(name, contents.bytes, contents.sha256, run_of(name))


def _in_batch(batch: BatchStored, row: Mapping[str, Any]) -> bytes | None:
    for result in batch.results:
        if (result.ref.key.id, result.revision, result.file) == (row["id"], row["revision"], row["file"]):
            data = markdown(result, batch.style)
            return data if hashlib.sha256(data).hexdigest() == row["file_sha256"] else None
    return None


def _from_row(row: Mapping[str, Any]) -> bytes | None:
    """The file of a row, if its checksum is that of the file that was written."""
    for style, zones in product(CODECS, (True, False)):
        data = dumps(from_article(_article(row), row["crawled_at"], style=style, zones=zones)).encode()
        if row["file_sha256"] in (hashlib.sha256(data).hexdigest(), None):
            return data
    return None


def _article(row: Mapping[str, Any]) -> Article:
    return Article(
        key=ArticleKey(row["oid"], row["aid"]),
        title=row["title"],
        body=row["body"],
        publisher=row["publisher"],
        published_at=row["published_at"],
        parser=row["parser"],
        byline=row["byline"] or "",
        categories=tuple(row["categories"] or ()),
    )
