"""What a start finds when state and captures do not fit: an older database, a mark that cannot be read."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.article import Article, Outcome
from schemas.errors import ArchiveDamaged, StorageFault
from schemas.find import RevisionKind
from schemas.receipt import Receipt
from storage.archive import open_archive
from storage.database import writer
from storage.integrity.repair import Repair, rebuild, repair, verify_archive
from storage.integrity.verify import verify
from tests.support.archives import flip, killed, rows, store_new, store_results
from tests.support.values import article, ended, key, receipt, stored

MARK = "state/open_capture"
WRITER = "state/writer.duckdb"
EVERYTHING = (
    *("articles", "superseded", "duplicates", "frontier", "finds", "runs", "cursors", "events"),
    *("near_duplicates", "story_members"),
)


def held(root: Path) -> dict[str, list[tuple[object, ...]]]:
    return {table: sorted(rows(root, f"FROM {table}"), key=repr) for table in EVERYTHING}


def put_back(root: Path, aside: Path) -> None:
    """An older database in the place of the newer one."""
    shutil.copyfile(aside, root / WRITER)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three runs, of which the last two are not in `older`; the third changes what the second stored."""
    folder = tmp_path_factory.mktemp("made")
    root = folder / "archive"
    with open_archive(root) as archive:
        store_new(archive, 1)
    shutil.copyfile(root / WRITER, folder / "older")
    with open_archive(root) as archive:
        store_new(archive, 2, run="20260102T040405Z-0002")
        file = archive.known([key(2).id])[key(2).id].file
    edited = stored(
        article(2, body="고쳐 쓴 글이다."),
        outcome=Outcome.EDITED, revision_kind=RevisionKind.EDITED, revision=2, file=file,
    )  # fmt: skip
    with open_archive(root) as archive:
        store_results(archive, edited, run="20260102T050405Z-0003")
    return folder


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path, dirs_exist_ok=True)) / "archive"


class TestAnOlderDatabase:
    """Somebody put it back from a copy, beside the captures of later runs."""

    def test_is_brought_up_to_the_captures_by_the_next_start(self, root: Path) -> None:
        before = held(root)
        put_back(root, root.parent / "older")
        with open_archive(root) as archive:
            assert any("did not know 2 of the captures" in note for note in archive.notes)
            assert archive.known([key(2).id])[key(2).id].revision == 2
            assert verify(archive).faults == []
        assert held(root) == before
        with open_archive(root) as archive:
            assert archive.notes == []

    def test_is_brought_up_also_where_the_start_is_killed_on_the_way(self, root: Path) -> None:
        before = held(root)
        put_back(root, root.parent / "older")
        code = f"""
import os, signal
from pathlib import Path
from storage import archive
from storage.journal import recovery
replay_entry, left = recovery._replay_entry, [1, 2, 3]
def then_die(*given):
    replay_entry(*given)
    left.pop()
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
recovery._replay_entry = then_die
archive.open_archive(Path({str(root)!r})).__enter__()
"""
        done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == -signal.SIGKILL, done.stderr
        with open_archive(root):
            pass
        assert held(root) == before
        assert verify_archive(root).faults == []

    def test_gives_the_next_run_the_next_number(self, root: Path) -> None:
        """Else its changes would bear numbers that followers have seen already."""
        put_back(root, root.parent / "older")
        with open_archive(root) as archive:
            store_new(archive, 3, run="20260102T060405Z-0004")
        assert rows(root, "SELECT number FROM runs ORDER BY number") == [(1,), (2,), (3,), (4,)]

    def test_is_noticed_whatever_day_a_clock_that_was_ahead_gave_to_a_capture(self, tmp_path: Path) -> None:
        at = datetime.now(UTC)
        with open_archive(tmp_path) as archive:
            run_at(archive.start_run, archive.finish_run, at + timedelta(days=3000), "29990102T030405Z-0001")
        shutil.copyfile(tmp_path / WRITER, tmp_path / "older")
        with open_archive(tmp_path) as archive:
            run_at(archive.start_run, archive.finish_run, at, "20260102T040405Z-0002")
        before = held(tmp_path)
        put_back(tmp_path, tmp_path / "older")
        with open_archive(tmp_path):
            pass
        assert held(tmp_path) == before

    def test_that_has_later_runs_is_created_again(self, root: Path, tmp_path: Path) -> None:
        """What the missing run did cannot be put under what was done later."""
        captured = sorted(file for run in ("0002", "0003") for file in (root / "captures").rglob(f"*-{run}-*"))
        for file in captured:
            shutil.move(file, tmp_path / file.name)
        put_back(root, tmp_path / "older")
        with open_archive(root) as archive:
            store_new(archive, 3, run="20260102T060405Z-0004")
        for file in captured:
            shutil.move(tmp_path / file.name, file)
        with pytest.raises(ArchiveDamaged, match=r"-0002, .*-0003 journaled, and has later runs. Run: seogo repair"):
            open_archive(root).__enter__()
        assert repair(root).left == []
        assert [id_ for (id_,) in rows(root, "SELECT id FROM articles ORDER BY id")] == [key(n).id for n in (1, 2, 3)]


def run_at(start: Callable[[Receipt], None], finish: Callable[..., None], at: datetime, run_id: str) -> None:
    account = replace(receipt(run_id), started_at=at)
    start(account)
    finish(replace(ended(account), finished_at=at), {}, [])


DAMAGES = ("NULs", "not UTF-8", "cut", "another file", "a folder", "a folder with a file", "empty", "missing")


def damaged(mark: Path, how: str) -> None:
    """Damage the mark of open captures."""
    whole = mark.read_bytes()
    mark.unlink()
    match how:
        case "NULs":
            mark.write_bytes(b"\0" * len(whole))
        case "not UTF-8":
            mark.write_bytes(b"captures/\xff\xfe")
        case "cut":
            mark.write_bytes(whole[:30])
        case "another file":
            mark.write_text("../mine.txt\n")
        case "a folder":
            mark.mkdir()
        case "a folder with a file":
            mark.mkdir()
            (mark / "file").touch()
        case "empty":
            mark.touch()


class TestTheMarkOfOpenCaptures:
    """It is damaged, or lost, after a run was killed."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """A run was killed when it had journaled article 2, and not committed it."""
        root = tmp_path / "archive"
        with open_archive(root) as archive:
            store_new(archive, 1)
        killed(root, "archive._db.insert = kill")
        return root

    @pytest.mark.parametrize("how", DAMAGES)
    @pytest.mark.every(3)
    def test_costs_a_start_nothing(self, root: Path, how: str) -> None:
        damaged(root / MARK, how)
        with open_archive(root) as archive:
            assert set(archive.known([key(1).id, key(2).id])) == {key(1).id, key(2).id}
            assert verify(archive).faults == []
        assert not (root / MARK).exists()
        kept = list((root / "state" / "set-aside").rglob("open_capture"))
        assert len(kept) == (how not in ("empty", "missing"))

    @pytest.mark.parametrize("act", [repair, rebuild])
    @pytest.mark.parametrize("how", DAMAGES)
    @pytest.mark.every(14)
    def test_costs_a_repair_nothing(self, root: Path, how: str, act: Callable[[Path], Repair]) -> None:
        """The capture's tail is torn besides, and the database cannot be read."""
        (torn,) = (root / "captures").rglob("*-0002-*")
        with torn.open("ab") as file:
            file.write(b"\x1f\x8b\x08\x00 half a record")
        (root / WRITER).write_bytes(b"no database")
        damaged(root / MARK, how)
        assert act(root).left == []
        assert rows(root, "SELECT count(*) FROM articles") == [(2,)]
        assert verify_archive(root).faults == []

    def test_a_torn_tail_is_cut_without_it(self, root: Path) -> None:
        (torn,) = (root / "captures").rglob("*-0002-*")
        whole = torn.stat().st_size
        with torn.open("ab") as file:
            file.write(b"\x1f\x8b\x08\x00 half a record")
        (root / MARK).unlink()
        with open_archive(root) as archive:
            assert any("half-written" in note for note in archive.notes)
            assert verify(archive).faults == []
        assert torn.stat().st_size == whole

    def test_what_is_damaged_and_not_torn_is_not_cut(self, root: Path) -> None:
        (file,) = (root / "captures").rglob("*-0002-*")
        whole = file.stat().st_size
        flip(file, 30)
        (root / MARK).unlink()
        with open_archive(root) as archive:
            assert set(archive.known([key(1).id, key(2).id])) == {key(1).id, key(2).id}
            assert verify(archive).faults != []
        assert file.stat().st_size == whole

    def test_a_file_of_somebody_else_is_kept(self, root: Path) -> None:
        (file,) = (root / "captures").rglob("*-0002-*")
        other = file.with_name("other-00000.warc.gz")
        other.write_bytes(b"somebody's")
        with open_archive(root) as archive:
            assert set(archive.known([key(1).id, key(2).id])) == {key(1).id, key(2).id}
        (kept,) = (root / "state" / "set-aside").rglob(other.name)
        assert kept.read_bytes() == b"somebody's"


def test_a_batch_that_is_too_large_for_the_memory_of_a_run_is_replayed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import of an older version journaled such batches: each start failed as the import had."""
    monkeypatch.setattr(writer, "_MEMORY", "12MB")
    monkeypatch.setitem(writer._SETTINGS, "memory_limit", "12MB")
    texts = [article(number, body=f"{number}번째 글이다. " * 60_000) for number in range(10, 14)]
    with pytest.raises(StorageFault, match=r"Out of Memory Error: [^\n]+used\)\. What was"):
        store_at_once(root, texts)
    with open_archive(root) as archive:
        assert archive.notes == ["replayed 1 journal entries that the database lacked"]
        assert set(archive.known([text.id for text in texts])) == {text.id for text in texts}
        limit = archive.database.rows("SELECT current_setting('memory_limit') AS memory")
    assert limit == [{"memory": "11.4 MiB"}]


def store_at_once(root: Path, texts: Sequence[Article]) -> None:
    run = receipt("20260102T060405Z-0004")
    with open_archive(root) as archive:
        archive.start_run(run)
        archive.store(run.run_id, [stored(text) for text in texts])


def test_a_start_reads_no_capture_that_the_database_knows(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise AssertionError("a capture was read")

    monkeypatch.setattr("storage.journal.recovery.scan", read)
    monkeypatch.setattr("storage.journal.recovery.whole_length", read)
    monkeypatch.setattr("storage.journal.recovery.first_records", read)
    with open_archive(root) as archive:
        assert archive.notes == []
