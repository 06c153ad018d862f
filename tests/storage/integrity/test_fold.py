"""The rows that verify expects from the journals are those of their replay, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.journal import Entry
from storage.captures.reader import capture_names
from storage.database.writer import Database
from storage.integrity.journals.contents import FileContents
from storage.integrity.journals.digests import columns_of, hasher, sums
from storage.integrity.journals.fold import Fold
from storage.integrity.journals.keys import KeyMaker
from storage.integrity.journals.read import JournalReader
from storage.integrity.journals.sums import EventSums, totals, wrong_sketches
from storage.integrity.rebuild import rebuilt
from storage.journal.recovery import in_order
from storage.journal.tables import JOURNALED
from storage.stories.pairs import complete_sketches
from tests.support.histories.feed import replayed
from tests.support.histories.journals import Journal


def folded(entries: Sequence[Entry]) -> tuple[Fold, EventSums]:
    events = EventSums()
    fold = Fold(events.add)
    for number, entry in enumerate(entries):
        maker, name = KeyMaker(hasher()), f"captures/2026/01/02/{entry.run_id}-{number:05}.warc.gz"
        keys = list(maker.keys([entry]))
        fold.add(FileContents(name, 0, "", entries=keys, digests=maker.digests()))
    fold.finish()
    return fold, events


def assert_equal(db: Database, fold: Fold, events: EventSums) -> None:
    found = totals(fold, events)
    for table in JOURNALED:
        assert found[table] == sums(db, table), table
    complete_sketches(db)
    assert wrong_sketches(db, fold) == []


@given(st.integers(0, 10**9))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_journal_comes_to_the_rows_of_its_replay(seed: int) -> None:
    journal = Journal(Random(seed), repaired=True)
    journal.write(4)
    assert_equal(journal.db, *folded(journal.entries))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.every(2)
def test_an_archive_comes_to_the_rows_of_its_replay(tmp_path: Path, seed: int) -> None:
    replayed(tmp_path, histories=8, seed=seed)
    names = in_order(tmp_path, capture_names(tmp_path))
    journals = JournalReader(tmp_path).journals()
    with rebuilt(tmp_path) as again:
        for name in names:
            assert not [item for item in again.read(name) if isinstance(item, str)]
        db = Database.open(again.finish())
        try:
            assert_equal(db, journals.fold, journals.events)
        finally:
            db.abandon()


def test_each_column_of_each_table_is_in_the_sum(tmp_path: Path) -> None:
    """A value that somebody changed, wherever it is, gives another sum."""
    replayed(tmp_path, histories=8, seed=3)
    db = Database.open(tmp_path / "state" / "writer.duckdb")
    try:
        for table in JOURNALED:
            before = sums(db, table)
            unnoticed = [column for column in _filled(db, table) if _sums_without(db, table, column) == before]
            assert unnoticed == [], table
    finally:
        db.abandon()


def _sums_without(db: Database, table: str, column: str) -> tuple[int, ...]:
    """The sums of a table in which one value of a column is missing. DuckDB hashes an empty list as no list."""
    filled = f"SELECT min(rowid) FROM {table} WHERE {column} IS NOT NULL AND {column}::VARCHAR <> '[]'"
    db.execute("BEGIN")
    try:
        db.execute(f"UPDATE {table} SET {column} = NULL WHERE rowid = ({filled})")
        return sums(db, table)
    finally:
        db.execute("ROLLBACK")


def _filled(db: Database, table: str) -> Iterator[str]:
    """The columns that have a value, and may have none."""
    required = {row["column_name"] for row in db.rows(f"DESCRIBE {table}") if row["null"] == "NO"}
    for column in columns_of(db, table):
        (row,) = db.rows(f"SELECT count(nullif({column}::VARCHAR, '[]')) AS number FROM {table}")
        if row["number"] and column not in required:
            yield column
