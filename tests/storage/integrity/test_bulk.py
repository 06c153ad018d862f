"""A database that is filled in one pass has the rows of one that replays entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import StorageFault
from storage.captures.reader import capture_names
from storage.database.writer import Database
from storage.executor import Pool
from storage.integrity.journals.read import JournalReader
from storage.integrity.rebuild import PARTS, rebuilt
from storage.journal.recovery import in_order
from storage.journal.tables import JOURNALED
from tests.support.histories.feed import replayed
from tests.support.histories.journals import Journal

EVERY = (*JOURNALED, "unprocessed")


def rows_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    db = Database.open(path)
    try:
        return {table: sorted(db.rows(f"SELECT * FROM {table}"), key=repr) for table in EVERY}
    finally:
        db.abandon()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bulk")
    replayed(folder, histories=8, seed=7)
    return folder


def by_replay(root: Path) -> dict[str, list[dict[str, Any]]]:
    with rebuilt(root) as again:
        for name in in_order(root, capture_names(root)):
            assert not [item for item in again.read(name) if isinstance(item, str)]
        return rows_of(again.finish())


def test_one_pass_gives_the_rows_of_a_replay(root: Path) -> None:
    with rebuilt(root) as again:
        again.fill(JournalReader(root))
        found = rows_of(again.finish())
    expected = by_replay(root)
    assert found == expected
    assert all(expected[table] for table in ("articles", "superseded", "duplicates", "events", "story_members"))
    assert not (root / PARTS).exists()


class Elsewhere(ThreadPoolExecutor):
    """Workers whose rows of one table are not where they are looked for, as on a machine with another directory."""

    def __init__(self, folder: Path, table: str) -> None:
        super().__init__(1)
        self.folder = folder
        self.table = table

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done = super().submit(fn, *args, **kwargs)
        wait([done])
        for path in self.folder.glob(f"*.{self.table}"):
            path.unlink()
        return done


@pytest.mark.parametrize("table", ["articles", "frontier", "sketches", "finds"])
def test_rows_that_a_worker_wrote_elsewhere_are_no_database_without_them(root: Path, table: str) -> None:
    said = pytest.raises(StorageFault, match=f"Rows of {table} .* are not there")
    with rebuilt(root) as again, Elsewhere(root / PARTS, table) as workers, said:
        again.fill(JournalReader(root, pool=Pool(workers, 1)))
    assert not (root / PARTS).exists()


@given(st.integers(0, 10**9))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_journal_fills_the_tables_with_the_rows_of_its_replay(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder, journal = tmp_path_factory.mktemp("journal"), Journal(Random(seed), repaired=False)
    journal.write(3)
    journal.save(folder)
    with rebuilt(folder) as again:
        again.fill(JournalReader(folder))
        found = rows_of(again.finish())
    expected = {table: sorted(journal.db.rows(f"SELECT * FROM {table}"), key=repr) for table in JOURNALED}
    assert {table: found[table] for table in JOURNALED} == expected
