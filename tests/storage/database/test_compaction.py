"""The writer's database does not grow with the number of runs, and a compact copy is the same database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from schemas.coverage import WindowRead
from storage.archive import open_archive
from storage.database import compaction
from storage.database.compaction import LARGEST, compact, is_bloated
from storage.database.writer import Database
from storage.integrity.repair import verify_archive
from storage.reading.reader import open_snapshot
from tests.support.values import NOW, article, ended, receipt, stored

WRITER = "state/writer.duckdb"


def small_run(root: Path, number: int, rng: Random) -> None:
    with open_archive(root) as archive:
        run = receipt(f"20260102T030405Z-{number:08x}")
        archive.start_run(run)
        bodies = ["".join(chr(rng.randrange(0xAC00, 0xD7A3)) for _ in range(1500)) for _ in range(4)]
        archive.store(run.run_id, [stored(article(number * 4 + n, body=body)) for n, body in enumerate(bodies)])
        later = NOW + timedelta(minutes=15 * number)
        windows = [WindowRead(f"press_list:{n:03}", later - timedelta(hours=2), later) for n in range(20)]
        archive.finish_run(ended(run), {window.source: later for window in windows}, [], windows)


def content(path: Path) -> dict[str, Any]:
    """Everything that a database holds: rows, schema, views, macros, comments."""
    with duckdb.connect(str(path), read_only=True) as connection:

        def rows(sql: str) -> list[Any]:
            return sorted(connection.execute(sql).fetchall(), key=repr)

        tables = rows("SELECT table_name FROM duckdb_tables() WHERE NOT internal")
        return {
            **{name: rows(f"SELECT * FROM {name}") for (name,) in tables},
            "tables": rows("SELECT table_name, sql, comment FROM duckdb_tables() WHERE NOT internal"),
            "views": rows("SELECT view_name, sql, comment FROM duckdb_views() WHERE NOT internal"),
            "columns": rows("SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"),
            "macros": rows("SELECT function_name, macro_definition FROM duckdb_functions() WHERE NOT internal"),
        }


@pytest.mark.parametrize("runs", [25, pytest.param(1_000, marks=pytest.mark.long)])
def test_after_many_small_runs_the_file_is_at_most_half_as_large_again(tmp_path: Path, runs: int) -> None:
    rng = Random(1)
    for number in range(runs):
        small_run(tmp_path, number, rng)
    size, lean = (tmp_path / WRITER).stat().st_size, tmp_path / "lean.duckdb"
    lean.write_bytes((tmp_path / WRITER).read_bytes())
    compact(lean, temporary=tmp_path / "lean.tmp")
    assert size <= 1.5 * lean.stat().st_size + 9 * 256 * 1024, f"{size:,} beside {lean.stat().st_size:,}"
    assert verify_archive(tmp_path).faults == []
    with open_snapshot(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM articles").fetchone() == (4 * runs,)


def test_a_compact_copy_holds_the_same(tmp_path: Path) -> None:
    for number in range(3):
        small_run(tmp_path, number, Random(2))
    before = content(tmp_path / WRITER)
    compact(tmp_path / WRITER, temporary=tmp_path / "compact.tmp")
    assert content(tmp_path / WRITER) == before
    assert not list(tmp_path.glob("compact.tmp*"))
    small_run(tmp_path, 3, Random(3))
    assert verify_archive(tmp_path).faults == []


def test_a_copy_that_needs_more_memory_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_run(tmp_path, 0, Random(4))
    before, copied, copy = content(tmp_path / WRITER), [], compaction._copy

    def counted(source: Path, target: Path, memory: str) -> None:
        copied.append(memory)
        copy(source, target, memory)

    monkeypatch.setattr(compaction, "LITTLE", "1MB")
    monkeypatch.setattr(compaction, "_copy", counted)
    compact(tmp_path / WRITER, temporary=tmp_path / "compact.tmp")
    assert copied == ["1MB", compaction.MORE]
    assert content(tmp_path / WRITER) == before
    assert not list(tmp_path.glob("compact.tmp*"))


def test_what_is_too_large_to_be_copied_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database.open(tmp_path / "a.duckdb")
    assert not is_bloated(database)
    sizes = {"free_blocks": 900, "used_blocks": 100, "total_blocks": 1000, "block_size": 262144}
    monkeypatch.setattr(database, "rows", lambda sql: [sizes])
    assert is_bloated(database)
    sizes["total_blocks"] = LARGEST // 262144 + 1
    assert not is_bloated(database)
    database.abandon()
