"""Verify an archive in any state, and repair what its captures allow.

The captures are the source of truth: a database that is missing, damaged or altered is rebuilt from them, and so is
every Markdown file that is missing or altered. Nothing is thrown away: what is replaced lies below `state/set-aside`.
A damaged capture cannot be repaired; as long as the database still has its rows, nothing but the raw answer is
lost, and the rows are left as they are.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.article import Article, ArticleKey
from schemas.errors import ArchiveDamaged, StorageFault
from schemas.front_matter import dumps, from_article
from schemas.front_matter.styles import CODECS
from schemas.journal import BatchStored
from storage import layout
from storage.archive import Archive, leased, opened
from storage.captures import open_captures
from storage.captures import reader as captures
from storage.captures.writer import CaptureFile
from storage.database.writer import storage_faults
from storage.exports.full import export_faults
from storage.files import inside, keep_aside, make_folder, replacing, set_aside, sha256_of, sync_folder
from storage.integrity import unjournaled
from storage.integrity.rebuild import rebuilt, remove_database
from storage.integrity.salvage import read_table, salvage
from storage.integrity.verify import Verification, verify
from storage.journal import entries as journal
from storage.journal import recovery
from storage.journal.recovery import in_order
from storage.journal.staging import markdown
from storage.state import checksums, last_verify
from storage.state.last_verify import LastVerify

_SALVAGED = "state/salvaged.duckdb"


@dataclass(slots=True)
class Repair:
    """What was repaired, in sentences, and the faults that are left. `aside`: where the replaced files were moved."""

    mended: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)


def verify_archive(root: Path, *, wait: float = 0.0) -> Verification:
    """Verify the archive at `root`, and its own exports. A database that cannot be opened is a fault, not an error.

    Raises ArchiveBusy, StorageFault, ArchiveTooNew.
    """
    with leased(root, wait=wait):
        exports = export_faults(root, wait=wait)  # first: whether another export is running is said at once
        found = _verified(root)
        found.faults += exports
        _note(root, found)
        return found


def _note(root: Path, found: Verification) -> None:
    """Keep what a verification came to, for reports."""
    first = found.faults[0] if found.faults else ""
    now = datetime.now(UTC)
    last_verify.note(root, LastVerify(now, len(found.faults), first, found.articles, found.files, found.captures))


def repair(root: Path, *, wait: float = 0.0) -> Repair:
    """Repair what can be repaired. Raises ArchiveBusy, StorageFault, ArchiveTooNew."""
    with leased(root, wait=wait):
        found = _verified(root)
        return _Repair(root, found.faults).mend(anew=found.database_differs) if found.faults else Repair()


def rebuild(root: Path, *, wait: float = 0.0) -> Repair:
    """Rebuild the database, and every missing or altered file, from the captures. Raises as `repair`."""
    with leased(root, wait=wait):
        return _Repair(root, ()).mend(anew=True)


def _verified(root: Path) -> Verification:
    """The lease is held."""
    broken, before = checksums.faults(root), checksums.known(root)
    try:
        with opened(root) as archive:
            found = verify(archive)
    except ArchiveDamaged as error:
        found = Verification(faults=[f"database {error}"], database_differs=True)
        found.faults += [f"capture {fault}" for fault in _capture_faults(root)]
    found.database_differs |= any(layout.WRITER_DATABASE in fault for fault in broken)
    found.faults[:0] = broken
    if not found.faults:
        checksums.record(root, root / layout.WRITER_DATABASE, layout.WRITER_DATABASE)
    elif broken:
        checksums.restore(root, before)  # opening the database must not make its damage be forgotten
    return found


def _capture_faults(root: Path) -> Iterator[str]:
    for name in captures.names(root):
        yield from (item for item in captures.scan(root, name) if isinstance(item, str))


class _Repair:
    """The steps of one repair. The lease is held."""

    def __init__(self, root: Path, faults: Sequence[str]) -> None:
        self._root = root
        self._faults = faults
        self._done = Repair()
        self._salvaged = False  # the writer's database is a copy of one that is kept aside

    def mend(self, *, anew: bool) -> Repair:
        with storage_faults(self._root):
            self._cut_tails()
            # Rows that only a database still has are journaled again before anything is rebuilt.
            if anew or self._witness_differs():
                if self._find_witness():
                    self._hear_witness()
                self._rebuild_database()
            with opened(self._root) as archive:
                self._mend_files(archive, verify(archive))
                archive.publish_anew()
            self._done.left = _verified(self._root).faults
        if any(layout.SNAPSHOT in fault for fault in self._faults):
            self._done.mended.append(f"{layout.SNAPSHOT}: copied anew")
        return self._done

    def _cut_tails(self) -> None:
        try:
            for name in open_captures.read(self._root):
                recovery.cut_torn_tail(self._root, name)
        except ArchiveDamaged:
            for name in set(captures.names(self._root)) - self._known_seals().keys():
                recovery.cut_torn_tail(self._root, name, marked=False)

    # -- what the captures may not tell any more

    def _witness_differs(self) -> bool:
        """Journal what only the database has. Returns whether it has to be rebuilt."""
        try:
            return self._hear_witness()
        except ArchiveDamaged:
            return True

    def _find_witness(self) -> bool:
        """Whether there is a readable database: the readable tables of the writer's, or else of the snapshot.

        It is put in the place of the writer's.
        """
        writer, copy = self._root / layout.WRITER_DATABASE, self._root / layout.SNAPSHOT
        source = next((path for path in (writer, copy) if path.is_file() and self._is_salvaged(path)), None)
        if source is None:
            return False
        self._replace_writer(self._root / _SALVAGED)
        self._salvaged = True
        if source == copy:
            said = f"database: taken from {layout.SNAPSHOT}, and brought up to what the journals tell"
            self._done.mended.append(said)
        return True

    def _is_salvaged(self, path: Path) -> bool:
        """Whether a database could be read, with its log or, where that is damaged, without."""
        target, log = self._root / _SALVAGED, path.with_name(f"{path.name}.wal")
        while True:
            remove_database(target)
            if salvage(path, target):
                return True
            if not log.exists():
                remove_database(target)
                return False
            self._set_aside(log)

    def _hear_witness(self) -> bool:
        """Tell the journal what only the database knows. Whether the two differ all the same."""
        with opened(self._root, lenient=True) as archive:
            self._done.mended += archive.notes
            if self._salvaged:
                recovery.catch_up(self._root, archive.database, in_order(self._root, captures.names(self._root)))
            found = verify(archive)
            self._restate_rows(archive, found)
            return found.database_differs

    # -- the database

    def _rebuild_database(self) -> None:
        """A new database from the captures, in the place of the one that is there."""
        names, sealed = in_order(self._root, captures.names(self._root)), self._known_seals()
        with rebuilt(self._root) as again:
            entries = sum(_is_entry(item) for name in names for item in again.read(name))
            # Those of captures that are missing, too: they are not to be forgotten.
            again.keep_seals([*sealed.values(), *self._sealed_now(names, sealed)])
            self._replace_writer(again.finish())
        self._done.mended.append(f"database: made anew from {entries} journal entries in {len(names)} captures")

    def _replace_writer(self, new: Path) -> None:
        """Another database, in the place of the writer's, which is kept unless it is a copy of what was kept before."""
        writer = self._root / layout.WRITER_DATABASE
        self._set_aside(writer.with_name(f"{writer.name}.wal"))  # not for the new one to replay
        if not self._salvaged:
            self._keep_aside(writer)
        checksums.forget(self._root, layout.WRITER_DATABASE)
        new.replace(writer)
        sync_folder(writer.parent)

    def _known_seals(self) -> dict[str, CaptureFile]:
        """The rows of the WARC files in the writer's database, or else in the snapshot, if either can be read."""
        for path in (self._root / layout.WRITER_DATABASE, self._root / layout.SNAPSHOT):
            with suppress(ArchiveDamaged, StorageFault):
                return {row["name"]: CaptureFile(**row) for row in read_table(path, "capture_files")}
        return {}

    def _sealed_now(self, names: Sequence[str], sealed: Collection[str]) -> Iterator[CaptureFile]:
        """What the other WARC files are now, if there is anything in them."""
        for name in names:
            path = self._root / name
            if name not in sealed and captures.next_whole(path, 0) is not None:
                yield CaptureFile(name, path.stat().st_size, sha256_of(path), captures.run_of(name))

    def _restate_rows(self, archive: Archive, found: Verification) -> None:
        """Put into a new journal what no journal tells: of damaged captures, and of runs from before there was one."""
        runs = {captures.run_of(name) for name in found.damaged_captures} | set(
            unjournaled.runs_without_journal(archive.database)
        )
        if not runs:
            return
        with rebuilt(self._root) as again:
            for name in in_order(self._root, captures.names(self._root)):
                deque(again.read(name), maxlen=0)
            second = again.finish()
            lost = unjournaled.rows_lost(archive.database, second, sorted(runs))
            gone = unjournaled.gone(archive.database, second)
        if lost or gone:
            archive.restate(lost, gone)
            number = sum(map(len, [*lost.values(), *gone.values()]))
            self._done.mended.append(f"journal: {number} rows that no capture tells of any more are told anew")

    # -- files

    def _mend_files(self, archive: Archive, found: Verification) -> None:
        wanted = unjournaled.rows_of_files(archive.database, found.lost_files)
        for row in wanted:
            data = _from_row(row) or self._from_journal(row)
            if data is None:
                continue  # named among what is left
            path = inside(self._root, row["file"])
            self._keep_aside(path)
            make_folder(path.parent)
            with replacing(path, beside=self._root / "state" / "repair.tmp") as part:
                part.write_bytes(data)
            self._done.mended.append(f"file {row['file']}: written anew")

    def _from_journal(self, row: Mapping[str, Any]) -> bytes | None:
        """The file as the run wrote it: its text may differ from the row's in Unicode's composition."""
        for name in captures.names(self._root):
            if captures.run_of(name) != row["run_id"]:
                continue
            for item in captures.scan(self._root, name):
                if isinstance(item, captures.Met) and item.entry is not None:
                    entry = journal.loads(item.entry, where=name)
                    if isinstance(entry, BatchStored) and (data := _in_batch(entry, row)) is not None:
                        return data
        return None

    def _set_aside(self, path: Path) -> None:
        """Move a file out of the way, if it is there."""
        if path.exists():
            self._done.aside.append(set_aside(self._root, path).relative_to(self._root).as_posix())

    def _keep_aside(self, path: Path) -> None:
        """Keep a file that is about to be replaced, if it is there."""
        if path.exists():
            self._done.aside.append(keep_aside(self._root, path).relative_to(self._root).as_posix())


def _is_entry(item: captures.Met | str) -> bool:
    return isinstance(item, captures.Met) and item.entry is not None


def _in_batch(batch: BatchStored, row: Mapping[str, Any]) -> bytes | None:
    for result in batch.results:
        if (result.ref.key.id, result.revision, result.file) == (row["id"], row["revision"], row["file"]):
            data = markdown(result, batch.style)
            return data if hashlib.sha256(data).hexdigest() == row["file_sha256"] else None
    return None


def _from_row(row: Mapping[str, Any]) -> bytes | None:
    """The file of a row, if its checksum is that of the file that was written."""
    for style in CODECS:
        data = dumps(from_article(_article(row), row["crawled_at"], style=style)).encode()
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
