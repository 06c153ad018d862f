"""The checks of an archive, each against real directories, and that none of them touches what it looks at."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.runs.doctor.archive import JSON_FILES, archive_checks, damage, disk_check, read_last_run
from flows.runs.doctor.check import Check, Level
from flows.runs.move_captures import move_captures
from flows.runs.publish import PublishOrder, publish
from storage.archive import open_archive
from storage.captures.homes.settings import MARK
from storage.integrity.repair import verify_archive
from storage.layout import LAST_RUN, OPEN_CAPTURE, SNAPSHOT, UNPUBLISHED, UPLOADS, WRITER_DATABASE
from storage.state import checksums, uploads
from storage.state.holder import holder
from storage.state.lease import leased
from tests.support.archives import killed, store_new
from tests.support.checks import found, tree
from tests.support.disks import fill, mount, needs_a_disk

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW = ["archive", "disk", "sync"]
WHOLE = [*NEW, "lock", "state", "snapshot", "last run", "last verify"]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pristine") / "archive"
    with open_archive(root) as archive:
        store_new(archive, 1, 2, 3)
    receipt = json.loads((root / LAST_RUN).read_bytes())
    (root / LAST_RUN).write_text(json.dumps(receipt | {"finished_at": datetime.now(UTC).isoformat()}), "utf-8")
    return root


@pytest.fixture
def root(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "archive"))


def looked_at(root: Path, later: timedelta = timedelta(0)) -> list[Check]:
    """All checks, which leave everything as it is."""
    before = tree(root)
    checks = list(archive_checks(root, datetime.now(UTC) + later))
    assert tree(root) == before
    return checks


def level(root: Path, name: str, later: timedelta = timedelta(0)) -> Level:
    return found(looked_at(root, later), name).level


def test_an_archive_in_order(root: Path) -> None:
    checks = looked_at(root)
    assert [check.name for check in checks] == WHOLE
    assert {check.level for check in checks} == {Level.OK}, checks
    assert "3 articles, published 0 min ago" in found(checks, "snapshot").found


# -- the directory


@pytest.mark.parametrize("parts", [(), ("deep", "down")])
def test_no_archive_yet(tmp_path: Path, parts: tuple[str, ...]) -> None:
    root = tmp_path.joinpath(*parts, "archive")
    checks = looked_at(root)
    assert [(check.name, check.level) for check in checks] == [(name, Level.OK) for name in NEW]
    assert "does not exist yet" in checks[0].found
    assert list(tmp_path.iterdir()) == []


def test_an_empty_directory_is_no_archive_yet(tmp_path: Path) -> None:
    assert "does not exist yet" in found(looked_at(tmp_path), "archive").found


def test_a_directory_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("쪽지", "utf-8")
    assert level(tmp_path, "archive") is Level.WARNING


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("", "utf-8")
    checks = looked_at(tmp_path / "archive")
    assert found(checks, "archive").level is Level.ERROR
    assert [check.name for check in checks] == NEW


@needs_a_disk
def test_a_disk_that_is_read_only(disk: Path, pristine: Path) -> None:
    mount(disk, "size=64m", "-t", "tmpfs")
    shutil.copytree(pristine, disk / "archive")
    mount(disk, "remount,ro")
    for root in (disk / "archive", disk / "new"):
        check = found(looked_at(root), "archive")
        assert check.level is Level.ERROR
        assert "not writable" in check.found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a directory away")
def test_an_archive_of_another_user(root: Path) -> None:
    os.chown(root, 1, 1)
    check = found(looked_at(root), "archive")
    assert check.level is Level.WARNING
    assert check.todo == "run seogo as daemon"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_archive_without_the_right_to_write(root: Path) -> None:
    (root / "state").chmod(0o500)
    assert level(root, "archive") is Level.ERROR


# -- the disk


@pytest.mark.parametrize(
    ("free", "files", "database", "expected"),
    [
        (10_000_000_000, None, 0, Level.OK),
        (10_000_000_000, 100_000, 1_000_000, Level.OK),
        (900_000_000, 100_000, 0, Level.WARNING),
        (10_000_000_000, 100_000, 4_000_000_000, Level.WARNING),
        (10_000_000_000, 5_000, 0, Level.WARNING),
        (50_000_000, 100_000, 0, Level.ERROR),
        (4_000_000_000, 100_000, 4_000_000_000, Level.ERROR),
        (10_000_000_000, 9, 0, Level.ERROR),
    ],
)
def test_room_on_the_disk(free: int, files: int | None, database: int, expected: Level) -> None:
    assert disk_check(free, files, database).level is expected


@needs_a_disk
def test_a_real_disk_that_fills_up(disk: Path, pristine: Path) -> None:
    mount(disk, "size=300m,nr_inodes=20000", "-t", "tmpfs")
    root = Path(shutil.copytree(pristine, disk / "archive"))
    assert level(root, "disk") is Level.WARNING
    fill(disk, 20_000_000)
    check = found(looked_at(root), "disk")
    assert check.level is Level.ERROR
    assert "20.0 MB free" in check.found


def test_a_file_system_that_cannot_sync() -> None:
    check = found(archive_checks(Path("/proc/self/archive"), datetime.now(UTC)), "sync")
    assert check.level is Level.ERROR
    assert "Invalid argument" in check.found


def test_a_disk_that_syncs_slowly(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.runs.doctor.archive._SLOW_SYNC", 0.0)
    assert level(root, "sync") is Level.WARNING


# -- the lease


def test_a_process_that_writes_is_named_and_not_disturbed(root: Path) -> None:
    with leased(root):
        check = found(looked_at(root), "lock")
        late = found(looked_at(root, 13 * HOUR), "lock")
    assert check.level is Level.OK
    assert f"process {os.getpid()} on" in check.found
    assert late.level is Level.WARNING
    assert "for 13 h" in late.found


def test_who_left_holds_nothing(root: Path) -> None:
    # This process signed when it wrote to the archive, lives, and holds no lease any more.
    with leased(root):
        pass
    assert json.loads((root / "state/holder.json").read_bytes())["pid"] == os.getpid()
    assert holder(root / "state") is None


@pytest.mark.parametrize("signed", ["", "[]", '{"pid": 1}', '{"pid": 1, "host": "a", "since": "2026-01-01T00:00:00"}'])
def test_a_damaged_signature_names_nobody(root: Path, signed: str) -> None:
    with leased(root):
        (root / "state/holder.json").write_text(signed, "utf-8")
        assert holder(root / "state") is None


def test_where_the_system_lists_no_locks_a_process_that_lives_counts(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.read_text

    def read_text(path: Path, *given: str) -> str:
        if str(path) == "/proc/locks":
            raise FileNotFoundError
        return real(path, *given)

    monkeypatch.setattr(Path, "read_text", read_text)
    assert holder(root / "state") is not None
    card = json.loads((root / "state/holder.json").read_bytes()) | {"pid": 2**22 + 1}
    (root / "state/holder.json").write_text(json.dumps(card), "utf-8")
    assert holder(root / "state") is None


# -- the state


@pytest.mark.parametrize("name", JSON_FILES)
@pytest.mark.parametrize("content", [b"\x00" * 40, b"{", b"[]", "반".encode("cp949"), b"[" * 100_000])
def test_a_damaged_file_of_the_state_is_named(root: Path, name: str, content: bytes) -> None:
    (root / name).write_bytes(content)
    checks = looked_at(root)
    check = found(checks, "state")
    assert check.level is Level.WARNING
    assert name in check.found
    assert {check.level for check in checks if check.name != "state"} == {Level.OK}


def test_a_directory_in_place_of_a_file_of_the_state(root: Path) -> None:
    (root / LAST_RUN).unlink()
    (root / LAST_RUN).mkdir()
    assert damage(root / LAST_RUN) == "Is a directory"
    assert level(root, "state") is Level.WARNING
    assert level(root, "last run") is Level.OK


@pytest.mark.parametrize("content", [b"\x00" * 40, b"\xff\xfe", b"/etc/passwd\n", b"captures/a\x1b[2J\n"])
def test_a_damaged_mark_of_a_run(root: Path, content: bytes) -> None:
    (root / OPEN_CAPTURE).write_bytes(content)
    check = found(looked_at(root), "state")
    assert check.level is Level.WARNING
    assert check.found == f"damaged: {OPEN_CAPTURE} (not a list of captures)"


def test_a_directory_in_place_of_the_mark(root: Path) -> None:
    (root / OPEN_CAPTURE).mkdir()
    assert level(root, "state") is Level.WARNING


def test_a_run_that_was_killed(root: Path) -> None:
    killed(root, "archive._db.execute = kill")
    check = found(looked_at(root), "state")
    assert (check.level, check.found) == (Level.WARNING, "a run was killed")
    with leased(root):  # the one that holds the lease now goes on with it
        assert level(root, "state") is Level.OK


def test_an_archive_that_lost_its_database(root: Path) -> None:
    (root / WRITER_DATABASE).unlink()
    assert level(root, "state") is Level.ERROR


def test_an_archive_that_no_run_has_written_to(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    checks = looked_at(tmp_path)
    assert [check.name for check in checks] == WHOLE
    assert {check.level for check in checks} == {Level.OK}


def test_a_file_in_place_of_the_state(root: Path) -> None:
    shutil.rmtree(root / "state")
    (root / "state").write_text("", "utf-8")
    assert {found(looked_at(root), name).level for name in ("state", "lock")} == {Level.ERROR}


# -- the snapshot


def test_a_snapshot_that_is_missing(root: Path) -> None:
    (root / SNAPSHOT).unlink()
    check = found(looked_at(root), "snapshot")
    assert check.level is Level.ERROR
    assert "seogo repair" in check.found


@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_snapshot_that_is_cut(root: Path, left: float) -> None:
    os.truncate(root / SNAPSHOT, int((root / SNAPSHOT).stat().st_size * left))
    assert level(root, "snapshot") is Level.ERROR


@pytest.mark.parametrize(("version", "expected"), [(99, Level.ERROR), (2, Level.WARNING)])
def test_a_snapshot_of_another_version(root: Path, version: int, expected: Level) -> None:
    with duckdb.connect(str(root / SNAPSHOT)) as connection:
        connection.execute("DELETE FROM schema_version WHERE version > ?", [version])
        if expected is Level.ERROR:
            newest = "(SELECT max(version) FROM schema_version)"
            connection.execute(f"UPDATE schema_version SET version = ? WHERE version = {newest}", [version])
    checksums.record(root, root / SNAPSHOT, SNAPSHOT, schema=1)
    assert level(root, "snapshot") is expected


def test_a_snapshot_that_is_behind(root: Path) -> None:
    (root / UNPUBLISHED).touch()
    check = found(looked_at(root), "snapshot")
    assert (check.level, check.todo) == (Level.WARNING, "run: seogo publish")
    with leased(root):  # it is about to be published
        assert level(root, "snapshot") is Level.OK


# -- the last run, the last verification


def ended(root: Path, **receipt: object) -> Check:
    kept = json.loads((root / LAST_RUN).read_bytes())
    (root / LAST_RUN).write_text(json.dumps(kept | receipt), "utf-8")
    return found(looked_at(root), "last run")


@pytest.mark.parametrize("reason", ["done", "nothing_new"])
def test_a_run_that_did_its_job(root: Path, reason: str) -> None:
    assert ended(root, exit_reason=reason).level is Level.OK


@pytest.mark.parametrize("reason", ["blocked", "layout_changed", "partly_failed", "interrupted", None])
def test_a_run_that_did_not(root: Path, reason: str | None) -> None:
    check = ended(root, exit_reason=reason, explanation="CANARY")
    assert check.level is Level.WARNING
    assert (reason or "unfinished") in check.found
    assert "CANARY" not in repr(check)


def test_a_run_of_long_ago(root: Path) -> None:
    assert level(root, "last run", 8 * DAY) is Level.WARNING
    assert level(root, "last run", 6 * DAY) is Level.OK


def test_what_is_no_receipt_tells_of_no_run(root: Path) -> None:
    (root / LAST_RUN).write_text('{"command": 1}', "utf-8")
    assert read_last_run(root) is None
    assert found(looked_at(root), "last run").found == "none that is recorded"


def test_a_verification_that_found_nothing_and_one_that_found_something(root: Path) -> None:
    verify_archive(root, wait=0)
    assert "0 faults" in found(looked_at(root), "last verify").found
    next((root / "articles").rglob("*.md")).unlink()
    verify_archive(root, wait=0)
    check = found(looked_at(root), "last verify")
    assert (check.level, check.todo) == (Level.ERROR, "run: seogo repair")


def test_faults_of_exports_alone_are_for_publish(root: Path) -> None:
    publish(PublishOrder(root))
    (root / "exports" / "atom.xml").unlink()
    verify_archive(root, wait=0)
    check = found(looked_at(root), "last verify")
    assert (check.level, check.todo) == (Level.ERROR, "run: seogo publish")


def test_a_disk_that_fails_while_it_is_looked_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("flows.runs.doctor.archive.holder", fail)
    check = found(looked_at(root), "lock")
    assert check.level is Level.ERROR
    assert "Input/output error" in check.found


def test_the_object_store_of_the_captures(root: Path, tmp_path: Path) -> None:
    address = f"file://{tmp_path}/objects"
    move_captures(root, address)
    assert level(root, "object store") is Level.OK
    uploads.note(root, address, 2, 300, "the store cannot be reached.")
    check = found(looked_at(root), "object store")
    assert (check.level, "2 captures waiting" in check.found) == (Level.WARNING, True)
    (tmp_path / "objects" / MARK).write_text("of another archive")
    assert level(root, "object store") is Level.ERROR


def test_a_damaged_record_of_uploads_is_written_again(root: Path, tmp_path: Path) -> None:
    move_captures(root, f"file://{tmp_path}/objects")
    (root / UPLOADS).write_text("{", "utf-8")
    assert level(root, "state") is not Level.OK
    with open_archive(root):
        pass
    assert level(root, "state") is Level.OK
