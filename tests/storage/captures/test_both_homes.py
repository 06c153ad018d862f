"""An archive with one file of captures in the object store, one in the directory, and one in both, as after a kill."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows.runs.move_captures import move_captures
from storage.archive import open_archive
from storage.captures.homes.store import capture_store
from storage.captures.reader import capture_names, read_capture, read_captures
from storage.integrity.repair import rebuild, repair, verify_archive
from storage.layout import WRITER_DATABASE
from tests.support.archives import contents, flip, new_archive, refs_of, spooled, store_new
from tests.support.values import key

SECOND, THIRD = "20260102T040405Z-0002", "20260102T050405Z-0003"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the archive and the store, and the address of the latter in `archive.toml`."""
    work = tmp_path_factory.mktemp("homes")
    root = new_archive(work / "archive", 1)
    for number, run in ((2, SECOND), (3, THIRD)):
        with open_archive(root) as archive:
            store_new(archive, number, run=run)
    move_captures(root, f"file://{work}/store")
    for run in (SECOND, THIRD):
        (name,) = (one for one in capture_names(root) if run in one)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(work / "store" / name, root / name)
        if run == SECOND:
            (work / "store" / name).unlink()
    return work


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    """A copy, whose store is at another address."""
    shutil.copytree(made, tmp_path / "copy")
    settings = tmp_path / "copy" / "archive" / "archive.toml"
    settings.write_text(settings.read_text("utf-8").replace(str(made), f"{tmp_path}/copy"), "utf-8")
    return tmp_path / "copy"


def test_each_file_is_named_once_and_read_where_it_is(made: Path) -> None:
    root = made / "archive"
    names = capture_names(root)
    assert len(names) == len(set(names)) == 3
    assert len(spooled(root)) == 2
    assert set(capture_store(root).sizes()) == set(names)
    for number, ref in refs_of(root).items():
        assert read_capture(root, ref).url == key(number).url
        ((_, found),) = read_captures(root, [ref])
        assert not isinstance(found, Exception)


def test_damage_in_either_home_is_found(work: Path) -> None:
    root = work / "archive"
    only_there, only_here, in_both = capture_names(root)
    for path in (work / "store" / only_there, root / only_here):
        flip(path, 400)
    faults = verify_archive(root).faults
    assert all(any(name in fault for fault in faults) for name in (only_there, only_here))
    assert not any(in_both in fault for fault in faults)
    assert spooled(root) == [only_here]  # a damaged file is not uploaded


def test_a_rebuild_and_a_repair_give_the_same_archive(work: Path) -> None:
    root = work / "archive"
    before = contents(root)
    assert rebuild(root).left == []
    assert contents(root) == before
    (root / WRITER_DATABASE).unlink()
    (root / "archive.duckdb").unlink()
    next((root / "articles").rglob("*.md")).unlink()
    assert repair(root).left == []
    assert contents(root) == before


def test_a_verification_reads_both_and_uploads_what_is_here(work: Path) -> None:
    root = work / "archive"
    before = {path.name: path.read_bytes() for path in (root / "captures").rglob("*.gz")}
    found = verify_archive(root)
    assert (found.faults, found.captures) == ([], 3)
    assert spooled(root) == []
    there = {path.name: path.read_bytes() for path in (work / "store").rglob("*.gz")}
    assert before.items() <= there.items()
    assert len(there) == 3
    assert verify_archive(root).faults == []


def test_a_move_back_takes_what_is_only_there(work: Path) -> None:
    root = work / "archive"
    move_captures(root, "directory", environment={})
    assert len(spooled(root)) == 3
    assert not list((work / "store").rglob("*.gz"))
    assert verify_archive(root).faults == []
