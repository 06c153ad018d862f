"""One journal entry -> one transaction.

The only place that turns entries into rows: a run commits its entries as they arise, a recovery those that the database
lacks, and a rebuild all of them. The rows depend only on the entry and on the rows that are already in the database, so
the same entries give the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from schemas.article import Outcome
from schemas.coverage import WindowRead
from schemas.find import Status
from schemas.journal import BatchStored, Entry, PairsFound, RowsRestated, RunEnded, RunStarted, TextsReassessed
from storage.database.writer import Database
from storage.journal.entry_rows import (
    ASSESSED,
    UPSERTED,
    assessed_rows,
    batch_rows,
    covered,
    cursor_rows,
    receipt_columns,
    request_rows,
    restated_rows,
    start_row,
)
from storage.journal.events import batch_events, find_keys, numbered
from storage.journal.stories import plan_pairs
from storage.journal.tables import JOURNALED

if TYPE_CHECKING:
    import pyarrow as pa

Commit = Callable[[], None]

UNFINISHED = frozenset({Outcome.FAILED, Outcome.BLOCKED, Outcome.DEFERRED, Outcome.GONE})
"""Outcomes after which a page in quarantine is still the newest page of its article."""

_PLAIN_TEXTS = (
    "SELECT id, title, publisher, byline, published_at, crawled_at, url, original_url, content_hash, text_hash, source,"
    " capture_file, capture_offset, capture_length, run_id FROM articles"
    " WHERE oid IS NULL AND text_hash IN (SELECT id FROM wanted)"
)


def plan_commit(db: Database, entry: Entry) -> Commit:
    """The transaction that commits an entry, to be called later.

    A value of an article that does not fit its column raises here, before anything is written.
    """
    match entry:
        case RunStarted():
            return lambda: _start(db, entry)
        case BatchStored():
            return _Batch(db, entry).commit
        case RunEnded():
            return _ending(db, entry)
        case RowsRestated():
            rows = _restated(db, entry.table, entry.rows)
            return lambda: _restate(db, entry, rows)
        case TextsReassessed():
            return _reassessment(db, entry)
        case PairsFound():
            return plan_pairs(db, entry)


def is_committed(db: Database, entry: Entry) -> bool:
    """Whether the database has an entry."""
    rows = db.rows("SELECT batches, finished_at FROM runs WHERE run_id = ?", [entry.run_id])
    match entry:
        case RunStarted():
            return bool(rows)
        case BatchStored() | RowsRestated() | TextsReassessed() | PairsFound():
            return bool(rows) and (rows[0]["batches"] or 0) >= entry.number
        case RunEnded():
            return bool(rows) and rows[0]["finished_at"] is not None


def is_next(db: Database, entry: Entry) -> bool:
    """Whether an entry that the database lacks can be replayed: the database has nothing of a later run.

    The rows of a run depend on those of the runs before it.
    """
    sql = "SELECT max(number) AS newest, max(number) FILTER (run_id = ?) AS own FROM runs"
    (numbers,) = db.rows(sql, [entry.run_id])
    own = entry.number if isinstance(entry, RunStarted) else numbers["own"]
    newest = numbers["newest"]
    # A run without a number: its first entry is damaged.
    return newest is None or own is None or own > newest or own == numbers["own"] == newest


class _Batch:
    """The rows of a batch, checked against their tables."""

    def __init__(self, db: Database, entry: BatchStored) -> None:
        self._db = db
        self._entry = entry
        rows = batch_rows(entry)
        self._articles = rows["articles"]
        self._adopted: dict[str, str] = {}
        self._appended = {name: found for name, found in rows.items() if name not in UPSERTED}
        self._upserted = {name: db.table(name, rows[name]) for name in UPSERTED if rows[name]}

    def commit(self) -> None:
        entry, db = self._entry, self._db
        with db.transaction():
            before = self._shown()
            self._supersede()
            removed = [*self._adopt(), *self._unlist()]
            self._release()
            self._own_text()
            for table, rows in self._upserted.items():
                db.upsert(table, rows)
            for table, found in self._appended.items():
                db.append(table, found)
            self._insert_events(removed, before)
            self._mark_processed()
            cover(db, entry.run_id, entry.coverage)
            _count(db, entry)

    def _shown(self) -> dict[str, bool]:
        """For those finds that are articles of the archive, by id: whether the article is known to be deleted."""
        ids = [result.ref.key.id for result in self._entry.results if not result.known]
        if not ids:
            return {}
        rows = self._db.lookup(
            ids, "SELECT a.id, f.gone_at FROM wanted JOIN articles a USING (id) LEFT JOIN frontier f USING (id)"
        )
        return {row["id"]: row["gone_at"] is not None for row in rows}

    def _insert_events(self, removed: Sequence[str], before: Mapping[str, bool]) -> None:
        """Insert the changes of this batch into the change feed."""
        entry = self._entry
        finds = [find_keys(result) for result in entry.results]
        found = list(batch_events(finds, self._articles, self._adopted, removed, before))
        runs = self._db.rows("SELECT number, started_at FROM runs WHERE run_id = ?", [entry.run_id]) if found else []
        for run in runs:  # none if its first entry is damaged: then a repair adds the events
            at = max((r.crawled_at for r in entry.results if r.crawled_at), default=run["started_at"])
            rows = numbered(found, run=run["number"], entry=entry.number, at=at, run_id=entry.run_id)
            self._db.insert("events", self._db.table("events", rows))

    def _supersede(self) -> None:
        """Copy the rows that are about to be replaced to `superseded`."""
        ids = [row["id"] for row in self._articles if row["revision"] > 1]
        if ids:
            self._db.execute(
                "INSERT INTO superseded BY NAME SELECT * FROM articles WHERE id IN (SELECT unnest(?))", [ids]
            )

    def _unlist(self) -> list[str]:
        """Delete listed articles that turned out to be off topic or duplicates. Returns their ids."""
        ids = [r.ref.key.id for r in self._entry.results if r.outcome in (Outcome.OFF_TOPIC, Outcome.DUPLICATE)]
        if not ids:
            return []
        rows = self._db.rows(
            "DELETE FROM articles WHERE status = ? AND id IN (SELECT unnest(?)) RETURNING id",
            [Status.LISTED.value, ids],
        )
        return sorted(row["id"] for row in rows)

    def _release(self) -> None:
        """Delete finds from quarantine unless they will be retried."""
        ids = [r.ref.key.id for r in self._entry.results if not r.known and r.outcome not in UNFINISHED]
        if ids:
            self._db.execute("DELETE FROM quarantine WHERE id IN (SELECT unnest(?::VARCHAR[]))", [ids])

    def _own_text(self) -> None:
        """Delete from `duplicates` the articles that have a text of their own now."""
        ids = [row["id"] for row in self._articles]
        if ids:
            self._db.execute("DELETE FROM duplicates WHERE id IN (SELECT unnest(?::VARCHAR[]))", [ids])

    def _adopt(self) -> list[str]:
        """Make imported texts without an address duplicates of the articles with the same text. Returns their ids."""
        texts = [(row["text_hash"], row["id"]) for row in self._articles if row.get("oid") and row.get("body")]
        plain = self._db.lookup([digest for digest, _ in texts], _PLAIN_TEXTS) if texts else []
        if not plain:
            return []
        plain.sort(key=lambda row: str(row["id"]))
        first = dict(reversed(texts))
        copies = [{**row, "duplicate_of": first[row["text_hash"]], "matched_by": "text_hash"} for row in plain]
        self._db.upsert("duplicates", self._db.table("duplicates", copies))
        self._adopted = {row["id"]: row["duplicate_of"] for row in copies}
        self._db.execute("DELETE FROM articles WHERE id IN (SELECT unnest(?::VARCHAR[]))", [list(self._adopted)])
        return list(self._adopted)

    def _mark_processed(self) -> None:
        taken = [f"{r.capture.file} {r.capture.offset}" for r in self._entry.results if r.capture is not None]
        if taken:
            self._db.execute(
                "DELETE FROM unprocessed WHERE capture_file || ' ' || capture_offset IN (SELECT unnest(?))", [taken]
            )


def cover(db: Database, run_id: str, windows: Sequence[WindowRead]) -> None:
    """Add windows that were read, or could not be, to the coverage ledger. Inside a transaction."""
    sources = sorted({read.source for read in windows})
    if sources:
        of_sources = "WHERE source IN (SELECT unnest(?::VARCHAR[]))"
        rows = covered(db.rows(f"SELECT * FROM coverage {of_sources}", [sources]), run_id, windows)
        db.execute(f"DELETE FROM coverage {of_sources}", [sources])
        db.append("coverage", rows)


def interrupt(db: Database, *, but: str | None = None) -> None:
    """Mark unfinished runs as interrupted, except for the run `but`."""
    db.execute(
        "UPDATE runs SET exit_reason = 'interrupted' WHERE exit_reason IS NULL AND run_id IS DISTINCT FROM ?", [but]
    )


def _start(db: Database, entry: RunStarted) -> None:
    with db.transaction():
        db.append("runs", [start_row(entry)])
        interrupt(db, but=entry.run_id)


def _ending(db: Database, entry: RunEnded) -> Commit:
    def commit() -> None:
        with db.transaction():
            db.append("requests", request_rows(entry.run_id, entry.requests))
            db.append("cursors", cursor_rows(entry), replacing=True)
            cover(db, entry.run_id, entry.coverage)
            _write_receipt(db, entry.run_id, entry.receipt)

    return commit


def _restated(db: Database, table: str, entries: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of a journal entry, whose times and maps are text and objects, as a table."""
    return db.table(table, restated_rows(db.table(table, []).schema, entries))


def _restate(db: Database, entry: RowsRestated, rows: pa.Table) -> None:
    same = " AND ".join(f"old.{name} = batch.{name}" for name in JOURNALED[entry.table].key)
    with db.transaction():
        db.register_batch(rows)
        db.execute(f"DELETE FROM {entry.table} old USING batch WHERE {same}")
        if entry.absent:
            db.register_batch(_restated(db, entry.table, entry.absent))
            db.execute(f"DELETE FROM {entry.table} old USING batch WHERE {same}")
        db.insert(entry.table, rows)
        if "capture_file" in rows.schema.names:
            db.register_batch(rows)
            db.execute(
                "DELETE FROM unprocessed u USING batch"
                " WHERE u.capture_file = batch.capture_file AND u.capture_offset = batch.capture_offset"
            )
        _count(db, entry)


_REASSESSED = (
    f"CREATE OR REPLACE TEMP TABLE reassessed AS SELECT a.* REPLACE ({', '.join(f'b.{n} AS {n}' for n in ASSESSED)},"
    " coalesce(a.publisher, b.publisher) AS publisher)"
    " FROM articles a JOIN batch b USING (id, revision)"
)


def _reassessment(db: Database, entry: TextsReassessed) -> Commit:
    """The rows keep the run that stored their text, because its journal has the file."""
    rows = db.table("articles", assessed_rows(entry)).select(["id", "revision", "publisher", *ASSESSED])

    def commit() -> None:
        with db.transaction():
            # Deleted and inserted: an UPDATE of columns of lists takes ten times as long.
            db.register_batch(rows)
            db.execute(_REASSESSED)
            db.execute("DELETE FROM articles WHERE id IN (SELECT id FROM reassessed)")
            db.execute("INSERT INTO articles BY NAME SELECT * FROM reassessed")
            _insert_reassessed(db, entry)
            db.execute("DROP TABLE reassessed")
            _count(db, entry)

    return commit


def _insert_reassessed(db: Database, entry: TextsReassessed) -> None:
    stored = {row["id"] for row in db.rows("SELECT id FROM reassessed")}
    found = [{"kind": "reassessed", "id": t.id, "revision": t.revision} for t in entry.texts if t.id in stored]
    for run in db.rows("SELECT number, started_at FROM runs WHERE run_id = ?", [entry.run_id]):
        at, run_id = run["started_at"], entry.run_id
        events = numbered(found, run=run["number"], entry=entry.number, at=at, run_id=run_id)
        db.insert("events", db.table("events", events))


def _count(db: Database, entry: BatchStored | RowsRestated | TextsReassessed) -> None:
    db.execute("UPDATE runs SET batches = ? WHERE run_id = ?", [entry.number, entry.run_id])


def _write_receipt(db: Database, run_id: str, receipt: Mapping[str, Any]) -> None:
    columns = receipt_columns(receipt)
    outcomes = dict(columns.pop("outcomes"))
    names = ", ".join(f"{name} = ?" for name in columns)
    db.execute(
        f"UPDATE runs SET {names}, outcomes = MAP(?, ?) WHERE run_id = ?",
        [*columns.values(), list(outcomes), list(outcomes.values()), run_id],
    )
