"""Verify an archive whatever its state, and mend what its captures allow to mend.

The captures are the source of truth: a database that is missing, damaged or altered is made anew from them, and so is
every Markdown file that is missing or altered. Nothing is thrown away: what is replaced lies below `state/set-aside`.
A capture that is damaged cannot be mended; as long as the database still has its rows, nothing but the raw answer is
lost, and the rows are left as they are.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
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
from storage.captures import reader as captures
from storage.captures.writer import CaptureFile
from storage.database.writer import Database, storage_faults
from storage.files import inside, set_aside, sha256_of, sync_folder, write_atomically
from storage.integrity import unjournaled as witness
from storage.integrity.rebuild import in_order, rebuilt
from storage.integrity.verify import Verification, verify
from storage.journal import entries as journal
from storage.journal import recovery
from storage.journal.commit import IDENTITY
from storage.journal.staging import markdown
from storage.layout import OPEN_CAPTURE, REBUILT
from storage.state import checksums as seals
from storage.state import last_verify


@dataclass(slots=True)
class Repair:
    """What was mended, in sentences, and the faults that are left. `aside` is where files went that were replaced."""

    mended: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)


def verify_archive(root: Path, *, wait: float = 0.0) -> Verification:
    """Verify the archive at `root`. A database that cannot be opened is a fault, not an error.

    Raises ArchiveBusy, StorageFault, ArchiveTooNew.
    """
    with leased(root, wait=wait):
        found = _verified(root)
        last_verify.save(root, _summary(found))
        return found


def _summary(found: Verification) -> last_verify.LastVerify:
    return last_verify.LastVerify(
        ended_at=datetime.now(UTC),
        articles=found.articles,
        files=found.files,
        captures=found.captures,
        faults=len(found.faults),
        first_fault=next(iter(found.faults), None),
    )


def repair(root: Path, *, wait: float = 0.0) -> Repair:
    """Mend what can be mended. Raises ArchiveBusy, StorageFault, ArchiveTooNew."""
    with leased(root, wait=wait):
        found = _verified(root)
        return _Repair(root, found.faults).mend(anew=found.database_differs) if found.faults else Repair()


def rebuild(root: Path, *, wait: float = 0.0) -> Repair:
    """Make the database, and every file that is not there as it was, anew from the captures. Raises as `repair`."""
    with leased(root, wait=wait):
        return _Repair(root, ()).mend(anew=True)


def _verified(root: Path) -> Verification:
    """The lease is held."""
    broken, before = seals.faults(root), seals.known(root)
    try:
        with opened(root) as archive:
            found = verify(archive)
    except ArchiveDamaged as error:
        found = Verification(faults=[f"database {error}"], database_differs=True)
        found.faults += [f"capture {fault}" for fault in _capture_faults(root)]
    found.database_differs |= any(layout.WRITER in fault for fault in broken)
    found.faults[:0] = broken
    if not found.faults:
        seals.seal(root, layout.WRITER)
    elif broken:
        seals.put_back(root, before)  # opening the database must not make its damage be forgotten
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
        self._copied = False

    def mend(self, *, anew: bool) -> Repair:
        with storage_faults(self._root):
            self._cut_tails()
            # What only a database still knows is told in the journal before anything is made anew.
            if not self._find_witness() or self._hear_witness() or anew:
                self._rebuild_database()
            with opened(self._root) as archive:
                self._mend_files(archive, verify(archive))
                archive.publish_anew()
            self._done.left = _verified(self._root).faults
        if any(layout.COPY in fault for fault in self._faults):
            self._done.mended.append(f"{layout.COPY}: copied anew")
        return self._done

    # -- what the captures may not tell any more

    def _find_witness(self) -> bool:
        """Whether there is a database that can be read: the writer's, or else the readers' copy in its place."""
        writer, copy = self._root / layout.WRITER, self._root / layout.COPY
        if _is_readable(writer):
            return True
        for name in (layout.WRITER, f"{layout.WRITER}.wal"):
            self._set_aside(self._root / name)
        if not copy.is_file():
            return False
        shutil.copyfile(copy, self._root / REBUILT)
        if not _is_readable(self._root / REBUILT):
            return False
        (self._root / REBUILT).replace(writer)
        self._copied = True
        self._done.mended.append(f"database: taken from {layout.COPY}, and brought up to what the journals tell")
        return True

    def _hear_witness(self) -> bool:
        """Tell the journal what only the database knows. Whether the two differ all the same."""
        with opened(self._root) as archive:
            self._done.mended += archive.notes
            if self._copied:
                recovery.catch_up(self._root, archive.database, in_order(self._root))
            found = verify(archive)
            self._restate_rows(archive, found)
            return found.database_differs

    # -- the database

    def _rebuild_database(self) -> None:
        """A new database from the captures, in the place of the one that is there."""
        names, sealed = in_order(self._root), self._known_seals()
        with rebuilt(self._root) as again:
            entries = sum(_is_entry(item) for name in names for item in again.read(name))
            # Those of captures that are missing, too: they are not to be forgotten.
            again.keep_seals([*sealed.values(), *(self._sealed_now(name) for name in names if name not in sealed)])
            new = again.finish()
            for name in (layout.WRITER, f"{layout.WRITER}.wal"):
                self._set_aside(self._root / name)
            seals.unseal(self._root, layout.WRITER)
            new.rename(self._root / layout.WRITER)
        sync_folder(self._root / "state")
        self._done.mended.append(f"database: made anew from {entries} journal entries in {len(names)} captures")

    def _cut_tails(self) -> None:
        marker = self._root / OPEN_CAPTURE
        for name in marker.read_text("utf-8").splitlines() if marker.exists() else ():
            recovery.cut_torn_tail(self._root, name)

    def _known_seals(self) -> dict[str, CaptureFile]:
        """What the old database knows of the WARC files, if it can be read at all."""
        if not (self._root / layout.WRITER).exists():
            return {}
        try:
            db = Database.open(self._root / layout.WRITER)
        except (ArchiveDamaged, StorageFault):
            return {}
        try:
            rows = db.rows("SELECT name, bytes, sha256, run_id FROM capture_files")
        except (ArchiveDamaged, StorageFault):
            return {}
        finally:
            db.abandon()
        return {row["name"]: CaptureFile(**row) for row in rows}

    def _sealed_now(self, name: str) -> CaptureFile:
        path = self._root / name
        return CaptureFile(name, path.stat().st_size, sha256_of(path), captures.run_of(name))

    def _restate_rows(self, archive: Archive, found: Verification) -> None:
        """Put into a new journal what no journal tells: of damaged captures, and of runs from before there was one."""
        runs = {captures.run_of(name) for name in found.damaged_captures} | set(
            witness.runs_without_journal(archive.database)
        )
        if not runs:
            return
        with rebuilt(self._root) as again:
            for name in in_order(self._root):
                deque(again.read(name), maxlen=0)
            told = again.finish()
            untold = witness.untold(archive.database, told, sorted(runs))
            gone = witness.gone(archive.database, told)
        if untold or gone:
            archive.restate(untold, gone)
            number = sum(map(len, [*untold.values(), *gone.values()]))
            self._done.mended.append(f"journal: {number} rows that no capture tells of any more are told anew")

    # -- files

    def _mend_files(self, archive: Archive, found: Verification) -> None:
        wanted = witness.rows_of_files(archive.database, found.lost_files)
        for row in wanted:
            data = _from_row(row) or self._from_journal(row)
            if data is None:
                continue  # named among what is left
            path = inside(self._root, row["file"])
            self._set_aside(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data, temporary=self._root / "state" / "repair.tmp")
            sync_folder(path.parent)
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


def _is_readable(path: Path) -> bool:
    """Whether a database is there and can be read to its end."""
    if not path.is_file():
        return False
    try:
        db = Database.open(path)
    except (ArchiveDamaged, StorageFault):
        return False
    try:
        for table in IDENTITY:
            db.rows(f"SELECT bit_xor(hash(t)) FROM {table} t")
    except (ArchiveDamaged, StorageFault):
        return False
    finally:
        db.abandon()
    return True


def _is_entry(item: captures.Met | str) -> bool:
    return isinstance(item, captures.Met) and item.entry is not None


def _in_batch(batch: BatchStored, row: Mapping[str, Any]) -> bytes | None:
    for result in batch.results:
        if (result.ref.key.id, result.revision, result.file) == (row["id"], row["revision"], row["file"]):
            data = markdown(result, batch.style)
            return data if hashlib.sha256(data).hexdigest() == row["file_sha256"] else None
    return None


def _from_row(row: Mapping[str, Any]) -> bytes | None:
    """The file that a row tells of, where it is the one that was written."""
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
