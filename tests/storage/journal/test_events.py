"""The change feed: whoever follows it has what the archive has, whatever crashes and whatever is rebuilt."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import duckdb
import pyarrow.parquet as pq
import pytest

from flows.cli.exit_codes import Exit
from schemas.article import Outcome
from schemas.errors import BadInput
from schemas.exported import ExportedChange
from schemas.find import FindResult
from storage.archive import open_archive
from storage.integrity.repair import rebuild
from storage.journal.events import batch_events, find_keys
from storage.reading.changes import changes
from storage.reading.reader import newest_change, open_snapshot
from tests.support.command import seogo
from tests.support.histories.feed import replayed
from tests.support.values import NOW, key, ref


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.every(3)
def test_what_is_replayed_is_what_the_tables_hold(tmp_path: Path, seed: int) -> None:
    assert replayed(tmp_path, histories=60, seed=seed) > 200


def test_cursors_survive_a_rebuild(tmp_path: Path) -> None:
    replayed(tmp_path, histories=10, seed=4, steps=7)
    with open_snapshot(tmp_path) as connection:
        before = list(changes(connection, 0))
    rebuild(tmp_path)
    with open_snapshot(tmp_path) as connection:
        assert list(changes(connection, 0)) == before
        middle = before[len(before) // 2]["seq"]
        assert list(changes(connection, middle)) == [change for change in before if change["seq"] > middle]
        assert list(changes(connection, newest_change(connection))) == []


def test_a_cursor_of_another_archive_is_refused(tmp_path: Path) -> None:
    replayed(tmp_path, histories=2, seed=5, steps=4)
    with open_snapshot(tmp_path) as connection, pytest.raises(BadInput, match="is ahead of this archive"):
        list(changes(connection, newest_change(connection) + 1))


# -- exported


def rows_of(file: str | Path) -> list[dict[str, Any]]:
    path = Path(file)
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    if path.suffix == ".zip":
        with ZipFile(path) as bundle:
            return [json.loads(line) for line in bundle.read("changes.jsonl").splitlines()]
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("feed")
    replayed(root, histories=20, seed=6)
    return root


@pytest.mark.parametrize("form", ["jsonl", "parquet", "markdown"])
def test_a_consumer_that_asks_with_the_cursor_it_got_misses_nothing(archive: Path, tmp_path: Path, form: str) -> None:
    with open_snapshot(archive) as connection:
        every = [(change["seq"], change["id"]) for change in changes(connection, 0)]
    half = every[len(every) // 2][0]
    words = ("--format", form, "--to", tmp_path, "--archive", archive, "--json")
    done = seogo("export", "--since", str(half), *words).json
    assert (done["since"], done["cursor"]) == (half, every[-1][0])
    rows = rows_of(done["file"])
    assert [(row["seq"], row["id"]) for row in rows] == [change for change in every if change[0] > half]
    assert done["changes"] == len(rows)
    again = seogo("export", "--since", str(done["cursor"]), *words).json
    assert (again["changes"], again["file"], again["cursor"]) == (0, "", done["cursor"])
    assert [path.name for path in tmp_path.iterdir()] == [Path(done["file"]).name]


def test_every_exported_change_keeps_the_contract(archive: Path) -> None:
    ran = seogo("export", "--since", "0", "--format", "jsonl", "--archive", archive)
    exported = [ExportedChange.model_validate_json(line) for line in ran.out.splitlines()]
    assert {change.kind for change in exported} > {
        "inserted",
        "edited",
        "duplicate",
        "gone",
        "restored",
        "removed",
        "reassessed",
    }
    assert all((change.duplicate is not None) <= (change.kind == "duplicate") for change in exported)
    without_text = ("gone", "restored", "duplicate", "removed")
    assert all(change.article is None for change in exported if change.kind in without_text)


def test_an_article_is_exported_the_same_alone_and_with_all(archive: Path, tmp_path: Path) -> None:
    seogo("export", "--format", "jsonl", "--to", tmp_path, "--archive", archive)
    whole = {row["id"]: row for row in rows_of(tmp_path / "articles.jsonl")}
    ran = seogo("export", "--since", "0", "--format", "jsonl", "--archive", archive)
    exported = [json.loads(line) for line in ran.out.splitlines()]
    newest = {change["id"]: change["article"] for change in exported if change["article"]}
    assert {id_: newest[id_] for id_ in whole} == whole


def test_the_changed_files_are_those_of_the_archive(archive: Path, tmp_path: Path) -> None:
    done = seogo(
        "export", "--since", "0", "--format", "markdown", "--to", tmp_path, "--archive", archive, "--json"
    ).json
    with ZipFile(done["file"]) as bundle:
        files = [name for name in bundle.namelist() if name != "changes.jsonl"]
        assert files
        assert all(bundle.read(name) == (archive / name).read_bytes() for name in files)


@pytest.mark.parametrize("cursor", ["-1", "x", str(10**15)])
def test_what_is_no_cursor_is_refused(archive: Path, cursor: str) -> None:
    ran = seogo("export", f"--since={cursor}", "--format", "jsonl", "--archive", archive)
    assert (ran.code, ran.out) == (2, "")


def test_a_file_of_changes_that_fails_on_the_way_leaves_nothing_behind(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("storage.files.sync_file", full)
    ran = seogo("export", "--since", "0", "--format", "parquet", "--to", tmp_path, "--archive", archive)
    assert ran.code == Exit.STORAGE_FAULT
    assert list(tmp_path.iterdir()) == []


def test_an_archive_from_before_there_was_a_feed_says_so(tmp_path: Path) -> None:
    with open_archive(tmp_path):
        pass
    with duckdb.connect(str(tmp_path / "archive.duckdb")) as connection:
        connection.execute("DROP TABLE events")
    ran = seogo("export", "--since", "0", "--archive", tmp_path)
    assert (ran.code, "Run `seogo repair` once" in ran.complaint) == (2, True)


def test_what_is_removed_is_not_restored_as_well() -> None:
    """Listed, then gone, then there again and off topic: it is no article any more, and that is all."""
    off_topic = FindResult(ref(key(1)), Outcome.OFF_TOPIC, "off topic", crawled_at=NOW)
    found = list(batch_events([find_keys(off_topic)], [], {}, [key(1).id], {key(1).id: True}))
    assert found == [{"kind": "removed", "id": key(1).id}]
