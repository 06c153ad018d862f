"""Publishing: what is outdated is written, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.runs.publish import PublishOrder, publish
from schemas.errors import ArchiveBusy, BadInput
from storage import layout
from storage.archive import open_archive
from storage.reading.reader import open_snapshot
from storage.state import checksums
from storage.state.lease import leased
from tests.support.archives import new_archive, store_results
from tests.support.command import environment, seogo
from tests.support.values import article, ended, receipt, stored

KILLED = """
import os, sys
from pathlib import Path
from tests.support.values import article, receipt, stored
from storage.archive import open_archive

with open_archive(Path(sys.argv[1])) as archive:
    archive.start_run(receipt("20260103T000000Z-0003"))
    archive.store("20260103T000000Z-0003", [stored(article(7))])
    os._exit(9)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return new_archive(tmp_path / "archive", 1, 2, 3)


def runs(root: Path) -> int:
    with open_snapshot(root) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM runs").fetchall()
    return int(count)


def run_unpublished(root: Path, monkeypatch: pytest.MonkeyPatch, run: str = "20260102T040405Z-0002") -> None:
    """A run that changed nothing, on a database that is too large to be copied for it."""
    with monkeypatch.context() as patch:
        patch.setattr("storage.database.publisher.SMALL", 0)
        with open_archive(root) as archive:
            account = receipt(run)
            archive.start_run(account)
            archive.finish_run(ended(account), {}, [])


def test_what_is_outdated_is_published_and_exported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_unpublished(root, monkeypatch)
    assert runs(root) == 1
    done = publish(PublishOrder(root))
    assert (done.changed, done.snapshot, runs(root)) == (True, True, 2)
    assert done.snapshot_bytes == (root / "archive.duckdb").stat().st_size
    assert [one.format for one in done.exports] == ["parquet", "atom"]
    assert seogo("verify", "--archive", root).code == 0


def test_a_second_time_nothing_is_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_unpublished(root, monkeypatch)
    publish(PublishOrder(root))
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    with monkeypatch.context() as patch:
        patch.delattr("duckdb.connect")  # it need not even look
        done = publish(PublishOrder(root))
    assert (done.changed, done.explanation) == (False, "nothing has changed since the last publication")
    touched = {path.name for path, moment in before.items() if path.stat().st_mtime_ns != moment}
    assert touched <= {"holder.json", "lock"}


def test_after_a_run_only_what_it_changed_is_written(root: Path) -> None:
    publish(PublishOrder(root, formats=("parquet", "atom", "jsonl")))
    with open_archive(root) as archive:
        store_results(archive, stored(article(9, published_at=datetime(2025, 3, 1, tzinfo=UTC))))
    done = publish(PublishOrder(root, formats=("parquet", "atom", "jsonl")))
    assert not done.snapshot  # the run did that
    assert [one.written for one in done.exports] == [
        ("articles/month=2025-03/articles.parquet",), ("atom.xml",), ("articles.jsonl",)
    ]  # fmt: skip
    assert "parquet 1 of 2 files" in done.explanation


def test_a_killed_run_is_finished_and_published(root: Path) -> None:
    here = environment()
    killed = subprocess.run([sys.executable, "-c", KILLED, str(root)], env=here, check=False)
    assert killed.returncode == 9
    done = publish(PublishOrder(root))
    assert done.snapshot
    with open_snapshot(root) as connection:
        assert connection.execute("SELECT count(*) FROM articles").fetchone() == (4,)
    assert done.exports[0].articles == 4


@pytest.mark.parametrize("lost", ["archive.duckdb", "state/seals.json"])
def test_a_missing_snapshot_or_checksum(root: Path, lost: str) -> None:
    publish(PublishOrder(root))
    (root / lost).unlink()
    assert publish(PublishOrder(root)).snapshot
    assert not publish(PublishOrder(root)).changed
    assert set(checksums.known(root)) == {layout.SNAPSHOT, layout.WRITER_DATABASE}


def test_after_verify_and_repair_nothing_is_outdated(root: Path) -> None:
    publish(PublishOrder(root))
    for command in ("verify", "repair"):
        assert seogo(command, "--archive", root).code == 0
        assert not publish(PublishOrder(root)).changed


def test_while_another_writes(root: Path) -> None:
    with leased(root), pytest.raises(ArchiveBusy):
        publish(PublishOrder(root))


def test_an_open_reader_keeps_what_it_has(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_unpublished(root, monkeypatch)
    with open_snapshot(root) as reader:
        assert publish(PublishOrder(root, formats=())).snapshot
        assert reader.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    assert runs(root) == 2


def test_what_is_no_archive_or_no_format(tmp_path: Path, root: Path) -> None:
    with pytest.raises(BadInput, match="is no archive"):
        publish(PublishOrder(tmp_path / "typo"))
    assert not (tmp_path / "typo").exists()
    with pytest.raises(BadInput, match="xlsx"):
        publish(PublishOrder(root, formats=("xlsx",)))


def test_as_json(root: Path) -> None:
    done = publish(PublishOrder(root)).as_json()
    assert done["archive"] == str(root)
    assert [sorted(one) for one in done["exports"]] == [
        ["articles", "bytes", "changed", "folder", "format", "removed", "restored", "seconds", "unchanged", "written"]
    ] * 2
