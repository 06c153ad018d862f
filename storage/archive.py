"""Database, captures and Markdown files together, as one archive directory with one writer.

    articles/2025/12/30/119_0003042504.md     Markdown files for people and tools
    archive.duckdb                            the snapshot for readers, replaced as a whole
    captures/2025/12/30/….warc.gz             raw responses, and the journal of each run
    state/                                    the writer's database, lock, staged files: internal

A batch is stored in an order that a kill can interrupt at any point: its outcomes are written to the run's journal, in
the captures, and both are synced; new files are staged under `state/` and synced; one transaction commits the rows; the
staged files are renamed into place. The next start replays the entries that the database lacks
(`storage.journal.recovery`) and moves the remaining staged files into place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path

from schemas.coverage import WindowRead
from schemas.errors import ArchiveDamaged, LeaseLost, ObjectStoreFault, StorageFault
from schemas.find import FindResult, PlainText
from schemas.front_matter.styles import Style
from schemas.journal import (
    BatchStored,
    Entry,
    PairsFound,
    Reassessment,
    RowsRestated,
    RunEnded,
    RunStarted,
    TextsReassessed,
)
from schemas.page import CaptureRef, RawPage, RequestRecord
from schemas.receipt import ExitReason, Receipt, run_id_at
from schemas.segment import SegmentTaken
from storage.captures.homes import settings
from storage.captures.homes.store import capture_store
from storage.captures.reader import Capture, ScannedRecord, read_capture, read_page
from storage.captures.writer import CaptureWriter
from storage.database.opening import open_database
from storage.database.publisher import Publisher
from storage.database.queries import Queries
from storage.database.writer import Database, Row, storage_faults
from storage.journal import recovery
from storage.journal.commit import plan_commit
from storage.journal.entries import dump_entry
from storage.journal.staging import finish_staged, placed, put_in_place, remove_staging, stage
from storage.layout import LAST_RUN, OPEN_CAPTURE
from storage.state import json_file
from storage.state.fence import check_held
from storage.state.lease import leased
from storage.stories import follower
from storage.uploading import Uploader

REASSESSED_AT_ONCE = 5_000
"""Texts in one journal entry of a reassessment."""

KEPT_FOR = timedelta(days=1)
"""How long a response that a killed run captured is used instead of a new request."""


class Archive(Queries):
    """An archive that this process may write to. Opened by `open_archive`."""

    def __init__(self, root: Path, database: Database, *, style: Style, notes: Sequence[str]) -> None:
        self.root = root
        self.style: Style = style
        self.notes = list(notes)
        self._db = database
        self._captures: CaptureWriter | None = None
        self._answers = recovery.Read()
        self._kept: dict[str, CaptureRef] = {}
        self._batches = 0
        self._ran = self._ended = False
        self._behind = False  # the journal has a batch that the database lacks
        self._publisher = Publisher(root)
        self._uploader = Uploader(root)
        self._uploading = 0  # finished files of the run that need not be marked as open any more
        self._capturing = threading.Lock()

    @property
    def database(self) -> Database:
        """The writer's database, for queries."""
        return self._db

    def recover(self, *, lenient: bool = False) -> None:
        """Finish an interrupted run, and replay the entries that the database lacks; `notes` describe it."""
        with storage_faults(self.root):
            self.notes += recovery.recover(self.root, self._db, lenient=lenient)
            note = finish_staged(self.root, self._db)
        self.notes += [note] if note else []
        if self.notes:
            self._publisher.note_change()

    # -- a run

    def start_run(self, receipt: Receipt, *, behind: int = 0) -> None:
        """Begin the run's journal, and commit the run's row once the journal is synced.

        The run's number is greater than that of any run in the database, and than `behind`.
        """
        roll_at = capture_store(self.root).roll_at
        self._captures = CaptureWriter(self.root, receipt.run_id, software=f"seogo/{version('seogo')}", roll_at=roll_at)
        self._answers, self._batches, self._uploading = recovery.Read(), 0, 0
        self._ran, self._ended = True, False
        newest = self._db.rows("SELECT coalesce(max(number), 0) AS number FROM runs")[0]["number"]
        number = max(newest, behind) + 1
        rules = (receipt.topic_version, receipt.topic_threshold)
        started = RunStarted(receipt.run_id, number, receipt.command, receipt.topic, receipt.started_at, *rules)
        self._enter(started, receipt.started_at)
        self._writer.sync()
        plan_commit(self._db, started)()
        self._kept = self._unprocessed(receipt.started_at)

    def finish_run(
        self,
        receipt: Receipt,
        watermarks: Mapping[str, datetime],
        requests: Sequence[RequestRecord],
        coverage: Sequence[WindowRead] = (),
    ) -> None:
        """Commit the receipt together with the sources' cursors, which are not committed earlier.

        Before that, the near-duplicates of what has changed are found.
        """
        if self._behind:
            # Storing a batch failed after it was journaled: the next start replays it.
            self._writer.close()
            return
        began = time.monotonic()
        self._find_pairs(receipt.run_id, on_progress=partial(receipt.advance, "near-duplicates"))
        receipt.spend("near-duplicates", time.monotonic() - began)
        ended = RunEnded(receipt.run_id, receipt.as_json(), watermarks, tuple(requests), tuple(coverage))
        commit = plan_commit(self._db, ended)
        self._enter(ended, receipt.finished_at or datetime.now(UTC))
        self._writer.close()
        gaps = self.gaps()
        commit()
        if gaps != self.gaps():
            self._publisher.note_change()
        self._note_captures()
        # A run that changed nothing is not published: `seogo status` still shows it.
        with storage_faults(self.root):
            remove_staging(self.root, receipt.run_id)
        json_file.save(self.root / LAST_RUN, ended.receipt, durable=False)
        self._ended = True

    @contextmanager
    def separate_run(self, command: str, *, behind: int = 0) -> Iterator[str]:
        """A run with nothing but what the block commits: its id. After an error it stays unfinished."""
        now = datetime.now(UTC)
        receipt = Receipt(run_id_at(now), command, None, now)
        self.start_run(receipt, behind=behind)
        yield receipt.run_id
        receipt.finished_at, receipt.exit_reason = datetime.now(UTC), ExitReason.DONE
        self.finish_run(receipt, {}, [])

    # -- reading back

    def read_capture(self, ref: CaptureRef) -> Capture:
        """A capture of this archive. Raises ArchiveDamaged if there is none."""
        return read_capture(self.root, ref)

    def read_page(self, ref: CaptureRef) -> RawPage:
        """The captured response as a page. Raises ArchiveDamaged if there is none."""
        return read_page(self.root, ref)

    def captured_answer(self, url: str) -> RawPage | None:
        """The response from this address that an earlier run captured and could not store, if there is one."""
        return self._readable(self._kept.pop(url, None))

    def quarantined_page(self, id_: str) -> RawPage | None:
        """The page of an article that is in quarantine; None if there is none, or it cannot be read."""
        return self._readable(self.quarantined_capture(id_))

    def _readable(self, ref: CaptureRef | None) -> RawPage | None:
        with suppress(ArchiveDamaged, ObjectStoreFault):  # then the page is requested again; `verify` reports damage
            return read_page(self.root, ref) if ref else None
        return None

    # -- storing

    def capture(self, page: RawPage, earlier: CaptureRef | None = None) -> CaptureRef:
        """Append a raw response to the captures. It is synced before anything that refers to it is committed.

        `earlier` is an earlier capture of the same article: an unchanged response is not stored twice, and the
        reference is to the earlier one.
        """
        if page.capture is not None:
            return page.capture
        with self._capturing:
            ref = self._writer.append_page(page, earlier)
            if ref != earlier:
                self._answers.note(ScannedRecord(ref, "response", page.url, page.fetched_at, page.why))
        return ref

    def capture_file(self, name: str, data: bytes, now: datetime) -> CaptureRef:
        """Append an imported file to the captures."""
        return self._writer.append_file(name, data, now)

    def store(
        self,
        run_id: str,
        results: Sequence[FindResult],
        requests: Sequence[RequestRecord] = (),
        texts: Sequence[PlainText] = (),
        coverage: Sequence[WindowRead] = (),
        segment: SegmentTaken | None = None,
    ) -> dict[str, float]:
        """Store a batch: all of it, or nothing. Returns the seconds it took: `write` (files) and `store` (the rest).

        The ids in a batch differ. A result with an article has `crawled_at`. `coverage`: the windows whose finds are
        stored with this batch; `segment`: the segment of a fetcher that is.
        """
        began = time.monotonic()
        placings = [placed(result, self.style) for result in results]
        results = tuple(result for result, _ in placings)
        number = self._batches + 1
        batch = BatchStored(
            run_id, number, self.style, results, tuple(requests), tuple(texts), tuple(coverage), segment
        )
        commit = plan_commit(self._db, batch)
        self._enter(batch, datetime.now(UTC))
        self._batches, self._behind = batch.number, True
        self._writer.sync()
        staging = time.monotonic()
        staged = stage(self.root, run_id, results, self.style, [data for _, data in placings])
        committing = time.monotonic()
        changed = bool(texts or coverage or segment) or any(
            not one.known or one.revision_kind is not None for one in results
        )
        if changed:
            self._publisher.note_change()
        commit()
        placing = time.monotonic()
        with storage_faults(self.root):
            put_in_place(staged)
        self._behind = False
        self._answers.note(batch)
        write = time.monotonic() - placing + committing - staging
        if changed:
            self._publisher.note_batch()
        self._upload_finished()
        self.publish_during_run()
        return {"store": time.monotonic() - began - write, "write": write}

    def restate(self, run_id: str, table: str, rows: Sequence[Row], absent: Sequence[Row]) -> None:
        """Journal rows of a table as they are, and `absent`: the keys of rows that a replay must not restore."""
        self._commit(RowsRestated(run_id, self._batches + 1, table, tuple(rows), tuple(absent)))

    def reassess(self, run_id: str, texts: Sequence[Reassessment]) -> None:
        """Store the assessments of texts by the current topic file: REASSESSED_AT_ONCE of them at most."""
        self._publisher.note_change()
        self._commit(TextsReassessed(run_id, self._batches + 1, tuple(texts)))

    def find_pairs(self, command: str, *, every: bool = False) -> None:
        """Find near-duplicates that no run has found yet, in a separate run, if anything has changed.

        `every`: those of all articles, and not only what has changed.
        """
        if every or follower.is_behind(self._db):
            with self.separate_run(command, behind=recovery.newest_number(self.root) if every else 0) as run_id:
                self._find_pairs(run_id, every=every)

    def _find_pairs(
        self, run_id: str, *, every: bool = False, on_progress: follower.OnProgress = follower.no_progress
    ) -> None:
        for part in follower.parts(self._db, every=every, on_progress=on_progress):
            self._publisher.note_change()
            self._commit(PairsFound(run_id, self._batches + 1, datetime.now(UTC), part.ids, part.pairs, part.until))

    def _commit(self, entry: RowsRestated | TextsReassessed | PairsFound) -> None:
        commit = plan_commit(self._db, entry)
        self._enter(entry, datetime.now(UTC))
        self._batches, self._behind = entry.number, True
        self._writer.sync()
        commit()
        # Greater than the entry's own number if its events use the numbers of further entries.
        (run,) = self._db.rows("SELECT batches FROM runs WHERE run_id = ?", [entry.run_id])
        self._batches, self._behind = run["batches"], False
        self._upload_finished()

    @property
    def _writer(self) -> CaptureWriter:
        if self._captures is None:
            raise StorageFault(f"{self.root}: no run has been started, there is no capture file to write to.")
        return self._captures

    def _enter(self, entry: Entry, now: datetime) -> None:
        """Append an entry to the run's journal. Raises LeaseLost."""
        check_held(self.root / "state")
        self._writer.append_entry(dump_entry(entry), now)

    def _note_captures(self) -> None:
        """The run's WARC files, and the responses in them that no batch mentions."""
        with self._db.transaction():
            self._db.upsert("capture_files", recovery.capture_file_table(self._db, self._writer.finished), key="name")
            recovery.note_unprocessed(self._db, self._answers)

    def _upload_finished(self) -> None:
        """With an object store: upload the WARC files that the run has finished. Not before a batch is committed.

        Before that, everything in them is in the database file, and they are no longer marked as open: the start after
        a kill needs neither them nor the store.
        """
        if len(self._writer.finished) == self._uploading or self._uploader.address is None:
            return
        with self._capturing:  # no response is captured that is not noted
            self._writer.sync()
            finished = list(self._writer.finished)
            self._note_captures()
        self._db.checkpoint()
        self._writer.unmark(finished)
        self._uploading = len(finished)
        self._uploader.begin(self._uploader.waiting(self._db))

    def _unprocessed(self, now: datetime) -> dict[str, CaptureRef]:
        """The responses that recent runs captured and could not store, by URL."""
        with self._db.transaction():
            self._db.execute("DELETE FROM unprocessed WHERE fetched_at < ?", [now - KEPT_FOR])
        rows = self._db.rows("SELECT url, capture_file, capture_offset FROM unprocessed")
        return {row["url"]: CaptureRef(row["capture_file"], row["capture_offset"]) for row in rows}

    # -- publishing and closing

    def publish_during_run(self) -> None:
        """Publish what is committed, if it is time. Not while another thread uses the archive. Raises StorageFault."""
        if self._publisher.is_due():
            try:
                self._publisher.publish_during_run(self._db)
            finally:
                self._db = Database.open(self._db.path)

    def publish_at_end(self) -> None:
        """Replace the snapshot when the archive is closed, even if nothing has changed."""
        self._publisher.note_change()

    def _close(self) -> None:
        """Close everything, and publish if readers would see a difference."""
        if self._captures is not None:
            self._captures.close()
        try:
            check_held(self.root / "state")
        except LeaseLost:
            self._db.abandon()  # the files are another machine's now
            self._uploader.abandon()
            raise
        files = self._uploader.waiting(self._db)
        self._publisher.close(self._db)
        if self._ended:
            # Not before the database file holds everything: until then an unreadable log of it loses nothing.
            (self.root / OPEN_CAPTURE).unlink(missing_ok=True)
        self._publisher.publish_at_end(self._db.path, ran=self._ran, complete=self._ended or not self._ran)
        self._uploader.finish(files if self._ended or not self._ran else None)


@contextmanager
def open_archive(root: Path, *, style: Style = "seed", wait: float = 0.0) -> Iterator[Archive]:
    """Open the archive at `root` for writing: created if there is none, recovered after an interrupted run.

    At the end a new snapshot is published, also after an error: it has what was committed. Raises ArchiveBusy,
    StorageFault, ArchiveTooNew, ArchiveDamaged.
    """
    with leased(root, wait=wait), opened(root, style=style) as archive:
        yield archive


@contextmanager
def opened(root: Path, *, style: Style = "seed", lenient: bool = False) -> Iterator[Archive]:
    """As `open_archive`, for a caller that holds the lease. `lenient` as in `storage.journal.recovery`."""
    settings.prepare(root)
    db, notes = open_database(root)
    archive = Archive(root, db, style=style, notes=notes)
    try:
        archive.recover(lenient=lenient)
        if db.migrated:
            archive.publish_at_end()
        yield archive
    except BaseException:
        with suppress(StorageFault):  # the first error is the one to report
            archive._close()
        raise
    archive._close()
