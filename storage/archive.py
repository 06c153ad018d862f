"""Database, captures and Markdown files together, as one archive directory with one writer.

    articles/2025/12/30/119_0003042504.md     what people and tools read
    archive.duckdb                            for readers: a copy, replaced whole
    captures/2025/12/30/….warc.gz             raw answers
    state/                                    the writer's database, lock, staged files: nobody else opens it

A batch is stored in an order that a kill can stop anywhere: captures are synced; new files are staged under `state/`
and synced; one transaction commits the rows; the staged files are renamed into place. The next start looks at what is
still staged: a file whose row was committed is renamed, another is dropped.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from schemas.article import ArticleKey, ArticleRef, Outcome
from schemas.errors import StorageFault
from schemas.find import FindResult, Known, Status
from schemas.front_matter import dumps, from_article
from schemas.front_matter_styles import Style
from schemas.page import CaptureRef, RawPage, RequestRecord
from schemas.receipt import Receipt
from storage import captures, records, snapshot
from storage.database import Database, storage_faults
from storage.files import sync_folder, write_atomically
from storage.lease import lease
from storage.markdown import path_of
from storage.reader import LAST_RUN
from storage.verify import Verification, verify

SMALL = 32 * 1024 * 1024
"""A database up to this many bytes is published after every run: the copy costs some hundredths of a second."""


_PLAIN_TEXTS = (
    "SELECT id, title, publisher, byline, published_at, crawled_at, url, original_url, content_hash, text_hash, source,"
    " capture_file, capture_offset, run_id FROM articles"
    " WHERE oid IS NULL AND text_hash IN (SELECT id FROM wanted)"
)


class Archive:
    """An archive that this process may write to. Opened by `open_archive`."""

    def __init__(self, root: Path, database: Database, *, style: Style, notes: Sequence[str]) -> None:
        self.root = root
        self.style: Style = style
        self.notes = list(notes)
        self._db = database
        self._captures: captures.CaptureWriter | None = None
        self._unpublished = root / "state" / "unpublished"
        self._changed = self._unpublished.exists()

    # -- a run

    def start_run(self, receipt: Receipt) -> None:
        """Commit the run's row, first of all, and be ready to capture."""
        row = {key: getattr(receipt, key) for key in ("run_id", "command", "topic", "started_at")}
        with self._db.transaction():
            self._db.insert("runs", [row])
            self._db.execute(
                "UPDATE runs SET exit_reason = 'interrupted' WHERE exit_reason IS NULL AND run_id <> ?",
                [receipt.run_id],
            )
        software = f"seogo/{version('seogo')}"
        self._captures = captures.CaptureWriter(self.root, receipt.run_id, software=software)

    def finish_run(
        self, receipt: Receipt, watermarks: Mapping[str, datetime], requests: Sequence[RequestRecord]
    ) -> None:
        """Commit the receipt and, with it and not before, how far each source has been read."""
        if self._captures is not None:
            self._captures.close()
        cursors = [{"source": s, "watermark": at, "run_id": receipt.run_id} for s, at in watermarks.items()]
        with self._db.transaction():
            self._insert_requests(receipt.run_id, requests)
            self._db.upsert("cursors", cursors, key="source")
            self._finish_row(receipt)
        # A run that changed nothing is not published: `seogo status` still tells of it.
        account = json.dumps(receipt.as_json(), ensure_ascii=False).encode()
        with storage_faults(self.root):
            self._remove_staging(receipt.run_id)
            write_atomically(self.root / LAST_RUN, account, temporary=self.root / f"{LAST_RUN}.tmp")

    # -- asking

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What the archive holds under each of these ids; an id that it never saw is left out."""
        rows = self._db.lookup(
            ids,
            "SELECT w.id, f.state, f.tries, f.due_at, f.found_at, a.status, a.title, a.content_hash, a.revision, a.file"
            " FROM wanted w LEFT JOIN frontier f USING (id) LEFT JOIN articles a USING (id)"
            " WHERE f.id IS NOT NULL OR a.id IS NOT NULL",
        )
        return {row["id"]: _known(row) for row in rows}

    def same_text(
        self, content_hashes: Sequence[str], text_hashes: Sequence[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The id of the article that bears each content hash, and each text hash, where there is one."""
        return self._first_with("content_hash", content_hashes), self._first_with("text_hash", text_hashes)

    def due(self, now: datetime, limit: int) -> list[ArticleRef]:
        """Finds that an earlier run could not finish and whose time has come, oldest due first."""
        rows = self._db.rows("SELECT * FROM frontier WHERE due_at <= ? ORDER BY due_at, id LIMIT ?", [now, limit])
        return [_ref(row, now) for row in rows]

    def watermark(self, source: str) -> datetime | None:
        """How far a source has been read."""
        rows = self._db.rows("SELECT watermark FROM cursors WHERE source = ?", [source])
        return rows[0]["watermark"] if rows else None

    # -- storing

    def capture(self, page: RawPage) -> CaptureRef:
        """Keep a raw answer. It is synced before anything that refers to it is committed."""
        if self._captures is None:
            raise StorageFault(f"{self.root}: no run has been started, there is no capture file to write to.")
        return self._captures.append_page(page)

    def capture_file(self, name: str, data: bytes, now: datetime) -> CaptureRef:
        """Keep an imported file."""
        if self._captures is None:
            raise StorageFault(f"{self.root}: no run has been started, there is no capture file to write to.")
        return self._captures.append_file(name, data, now)

    def store(
        self,
        run_id: str,
        results: Sequence[FindResult],
        requests: Sequence[RequestRecord] = (),
        texts: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, float]:
        """Store a batch: all of it, or nothing. Returns the seconds it took: `write` (files) and `store` (the rest).

        The ids in a batch differ. `texts` are rows of `articles` without a key (imported plain text).
        """
        began = time.monotonic()
        if self._captures is not None:
            self._captures.sync()
        results = [self._placed(result) for result in results]
        staging = time.monotonic()
        staged = self._stage(run_id, results)
        committing = time.monotonic()
        rows = [*(row for r in results if (row := records.article_row(r, run_id))), *texts]
        duplicates = [row for r in results if (row := records.duplicate_row(r, run_id))]
        frontier = [row for r in results if (row := records.frontier_row(r, run_id))]
        self._note_change(bool(rows or duplicates or frontier))
        with self._db.transaction():
            self._supersede([row["id"] for row in rows if row["revision"] > 1])
            self._adopt(rows)
            self._unlist([r.ref.key.id for r in results if r.outcome in (Outcome.OFF_TOPIC, Outcome.DUPLICATE)])
            self._db.upsert("articles", rows)
            self._db.upsert("duplicates", duplicates)
            self._db.upsert("frontier", frontier)
            self._db.insert("finds", [records.find_row(result, run_id) for result in results])
            self._insert_requests(run_id, requests)
        placing = time.monotonic()
        with storage_faults(self.root):
            self._put_in_place(staged)
        write = time.monotonic() - placing + committing - staging
        return {"store": time.monotonic() - began - write, "write": write}

    def verify(self) -> Verification:
        """Hold every file, row and capture against each other."""
        return verify(self.root, self._db)

    # -- closing

    def _note_change(self, changed: bool) -> None:
        """Readers have an older copy from now on, and a mark says so, in case this process is killed."""
        if changed and not self._changed:
            with storage_faults(self.root):
                self._unpublished.touch()
            self._changed = True

    def _publish(self) -> None:
        """Close the database and, when readers would see a difference worth its cost, replace their copy."""
        path = self._db.path
        self._db.close()
        target = self.root / "archive.duckdb"
        if self._changed or not target.exists() or path.stat().st_size <= SMALL:
            snapshot.publish(path, target, temporary=self.root / "state" / "snapshot.tmp")
            self._unpublished.unlink(missing_ok=True)

    def _finish_row(self, receipt: Receipt) -> None:
        self._db.execute(
            "UPDATE runs SET finished_at = ?, exit_reason = ?, finds = ?, outcomes = MAP(?, ?),"
            " requests = ?, bytes = ?, receipt = ? WHERE run_id = ?",
            [
                receipt.finished_at,
                receipt.exit_reason and receipt.exit_reason.value,
                receipt.finds,
                [outcome.value for outcome in receipt.outcomes],
                list(receipt.outcomes.values()),
                receipt.requests,
                receipt.bytes,
                json.dumps(receipt.as_json(), ensure_ascii=False),
                receipt.run_id,
            ],
        )

    def _insert_requests(self, run_id: str, requests: Sequence[RequestRecord]) -> None:
        self._db.insert("requests", [{"run_id": run_id, **asdict(request)} for request in requests])

    def _supersede(self, ids: Sequence[str]) -> None:
        """Keep the rows that are about to be replaced."""
        if ids:
            self._db.execute(
                "INSERT INTO superseded BY NAME SELECT * FROM articles WHERE id IN (SELECT unnest(?))", [ids]
            )

    def _unlist(self, ids: Sequence[str]) -> None:
        """What was only listed, and now turns out to be off topic or a copy, is no article of the archive."""
        if ids:
            self._db.execute(
                "DELETE FROM articles WHERE status = ? AND id IN (SELECT unnest(?))", [Status.LISTED.value, ids]
            )

    def _adopt(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """An imported text without address is a copy of the article that turns out to bear it."""
        texts = [{"text_hash": row["text_hash"], "id": row["id"]} for row in rows if row.get("oid") and row.get("body")]
        if not texts:
            return
        plain = self._db.lookup([t["text_hash"] for t in texts], _PLAIN_TEXTS)
        first = {text["text_hash"]: text["id"] for text in reversed(texts)}
        self._db.upsert(
            "duplicates",
            [{**row, "duplicate_of": first[row["text_hash"]], "matched_by": "text_hash"} for row in plain],
        )
        self._db.execute("DELETE FROM articles WHERE id IN (SELECT unnest(?::VARCHAR[]))", [[r["id"] for r in plain]])

    def _first_with(self, column: Literal["content_hash", "text_hash"], digests: Sequence[str]) -> dict[str, str]:
        rows = self._db.lookup(
            digests,
            f"SELECT a.{column} AS digest, min(a.id) AS id FROM articles a"
            f" WHERE a.oid IS NOT NULL AND a.{column} IN (SELECT id FROM wanted) GROUP BY ALL",
        )
        return {row["digest"]: row["id"] for row in rows}

    # -- files

    def _placed(self, result: FindResult) -> FindResult:
        """The result with the path of its file: the one that it has, else by its day."""
        if result.article is None or result.revision_kind is None or result.file is not None:
            return result
        return replace(result, file=path_of(result.article.key, result.article.published_at))

    def _stage(self, run_id: str, results: Sequence[FindResult]) -> list[tuple[Path, Path]]:
        """Write the new files beside the archive, synced: (staged, final) of each."""
        folder = self.root / "state" / "staged" / run_id
        moves = []
        for result in results:
            if result.article is None or result.revision_kind is None or result.file is None:
                continue
            text = dumps(from_article(result.article, result.crawled_at or datetime.now(UTC), style=self.style))
            staged = folder / f"{result.article.id}.{result.revision}.md"
            _write_synced(staged, text.encode())
            moves.append((staged, self.root / result.file))
        if moves:
            sync_folder(folder)
        return moves

    def _put_in_place(self, moves: Sequence[tuple[Path, Path]]) -> None:
        for staged, final in moves:
            final.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(final)
        for folder in {final.parent for _, final in moves}:
            sync_folder(folder)

    def _remove_staging(self, run_id: str) -> None:
        folder = self.root / "state" / "staged" / run_id
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _finish_staged(self) -> None:
        """Put in place, or drop, the files that a killed run left staged."""
        staged = sorted((self.root / "state" / "staged").glob("*/*.md"))
        if not staged:
            return
        rows = {
            row["id"]: row
            for row in self._db.lookup(
                [path.name.split(".")[0] for path in staged],
                "SELECT id, run_id, revision, file FROM articles WHERE id IN (SELECT id FROM wanted)",
            )
        }
        moves = []
        for path in staged:
            article_id, revision, _ = path.name.split(".")
            row = rows.get(article_id)
            if row and (row["run_id"], str(row["revision"])) == (path.parent.name, revision):
                moves.append((path, self.root / row["file"]))
            else:
                path.unlink()
        self._put_in_place(moves)
        self.notes.append(f"finished {len(moves)} of {len(staged)} files that a killed run left staged")


@contextmanager
def open_archive(root: Path, *, style: Style = "seed", wait: float = 0.0) -> Iterator[Archive]:
    """Open the archive at `root` for writing, made where there is none, repaired where a killed run left it torn.

    At the end readers get a new copy of the database, also when the block ends in an error: what was committed is
    theirs. Raises ArchiveBusy, StorageFault, ArchiveTooNew.
    """
    state = root / "state"
    try:
        (state / "staged").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFault(f"{root} cannot be made: {error.strerror}. Choose another with --archive DIR.") from error
    with lease(state, now=datetime.now(UTC), wait=wait):
        with storage_faults(root):
            note = captures.cut_torn_tail(root)
        if not (root / "archive.duckdb").exists():
            _publish_empty(root)
        archive = Archive(root, Database.open(state / "writer.duckdb"), style=style, notes=[note] if note else [])
        try:
            with storage_faults(root):
                archive._finish_staged()
            yield archive
        except BaseException:
            with suppress(StorageFault):  # the first error is the news
                archive._publish()
            raise
        archive._publish()


def _publish_empty(root: Path) -> None:
    """Readers can open the archive from its first moment on."""
    path = root / "state" / "writer.duckdb"
    Database.open(path).close()
    snapshot.publish(path, root / "archive.duckdb", temporary=root / "state" / "snapshot.tmp")


def _write_synced(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageFault(
            f"{path}: {error.strerror}. Free space, then run again: nothing committed is lost."
        ) from error


def _known(row: Mapping[str, Any]) -> Known:
    status = Status(row["status"]) if row["status"] else None
    # An imported article was never found by a crawl: it has no row in the frontier.
    state = Outcome(row["state"]) if row["state"] else Outcome.UNCHANGED
    return Known(
        id=row["id"],
        state=state,
        tries=row["tries"] or 0,
        due_at=row["due_at"],
        found_at=row["found_at"],
        status=status,
        title=row["title"],
        content_hash=row["content_hash"],
        revision=row["revision"] or 0,
        file=row["file"],
    )


def _ref(row: Mapping[str, Any], now: datetime) -> ArticleRef:
    return ArticleRef(
        key=ArticleKey.from_id(row["id"]),
        url=row["url"],
        source=row["source"],
        seen_at=now,
        title=row["title"],
        description=row["description"],
        publisher=row["publisher"],
        published_at=row["published_at"],
        original_url=row["original_url"],
    )
