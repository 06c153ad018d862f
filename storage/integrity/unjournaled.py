"""Rows of a database that no readable journal has: found, and journaled again, before the database is rebuilt.

`rebuilt` is a second database, rebuilt from the captures that can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.receipt import ExitReason, Receipt, run_id_at
from storage.archive import Archive
from storage.database.writer import Database
from storage.journal.recovery import newest_number
from storage.journal.tables import JOURNALED

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table; a table without any is left out."""

_ROWS_PER_ENTRY = 500


def rows_lost(db: Database, rebuilt: Path, runs: Sequence[str]) -> Rows:
    """Rows that these runs stored and that `rebuilt` does not have."""
    with db.attached(rebuilt, "again"):
        rows = {table: db.rows(_unjournaled(table), [list(runs)]) for table in JOURNALED}
    return {table: found for table, found in rows.items() if found}


def gone(db: Database, rebuilt: Path) -> Rows:
    """Rows of `rebuilt`, by the columns that identify them, that the database no longer has."""
    # A database from before there was a feed has no events; that does not make those in the journals wrong.
    tables = [name for name, table in JOURNALED.items() if table.cumulative or name in ("articles", "duplicates")]
    if not _has_events(db):
        tables.remove("events")
    with db.attached(rebuilt, "again"):
        rows = {
            table: db.rows(f"SELECT {columns} FROM again.{table} EXCEPT SELECT {columns} FROM {table}")
            for table in tables
            if (columns := ", ".join(JOURNALED[table].key))
        }
    return {table: found for table, found in rows.items() if found}


def restate(archive: Archive, lost: Rows, gone: Rows) -> None:
    """Journal these rows in a separate run. `gone`: the keys of rows that a replay must not restore."""
    now = datetime.now(UTC)
    receipt = Receipt(run_id_at(now), "repair", None, now)
    archive.start_run(receipt, behind=newest_number(archive.root))
    for table in {**gone, **lost}:
        archive.restate(receipt.run_id, table, (), gone.get(table, ()))
        rows = lost.get(table, ())
        for at in range(0, len(rows), _ROWS_PER_ENTRY):
            archive.restate(receipt.run_id, table, rows[at : at + _ROWS_PER_ENTRY], ())
    receipt.finished_at, receipt.exit_reason = datetime.now(UTC), ExitReason.DONE
    archive.finish_run(receipt, {}, [])


def _has_events(db: Database) -> bool:
    return bool(db.rows("SELECT seq FROM events LIMIT 1"))


def runs_without_journal(db: Database) -> list[str]:
    """Runs from before there was a journal."""
    return [row["run_id"] for row in db.rows("SELECT run_id FROM runs WHERE batches IS NULL")]


def rows_of_files(db: Database, files: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of `articles` that name these files."""
    return db.rows("SELECT * FROM articles WHERE file IN (SELECT unnest(?::VARCHAR[]))", [list(files)])


def _unjournaled(table: str) -> str:
    """A query for the rows that a table has because of the runs in the parameter, and that the rebuilt one lacks."""
    runs = "run_id IN (SELECT unnest($1::VARCHAR[]))"
    if JOURNALED[table].cumulative:
        runs = "$1 IS NOT NULL"  # of any run
    if table == "articles":  # or reassessed by them: `run_id` is the run that stored the text
        runs = f"({runs} OR id IN (SELECT id FROM events WHERE kind = 'reassessed' AND {runs}))"
    if table == "superseded":  # by these runs: `run_id` is the run that stored the row
        runs = f"id IN (SELECT id FROM revisions WHERE {runs})"
    if table == "duplicates":  # or adopted by an article of theirs: `run_id` is the run of the text
        runs = f"({runs} OR duplicate_of IN (SELECT id FROM revisions WHERE {runs}))"
    return f"SELECT t.* FROM {table} t WHERE {runs} AND hash(t) NOT IN (SELECT hash(a) FROM again.{table} a)"
