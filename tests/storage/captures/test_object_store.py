"""Captures in an object store: uploaded, read, verified, rebuilt from and moved, and never lost."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.runs.move_captures import move_captures
from schemas.errors import ArchiveDamaged, BadInput, ObjectStoreFault, ObjectStoreUnavailable
from schemas.page import CaptureRef
from storage.archive import open_archive
from storage.captures.homes.settings import MARK, VARIABLE, load
from storage.captures.reader import capture_names, read_capture
from storage.integrity.repair import rebuild, repair, verify_archive
from storage.reading.reader import open_snapshot, status
from storage.state.uploads import Uploads, last
from tests.support.archives import contents, killed, new_archive, refs_of, rows, spooled, store_new
from tests.support.paths import ROOT
from tests.support.servers.s3 import BUCKET, KEY, SECRET, S3Server, hang_up, keep_half, list_nothing, once, refuse
from tests.support.values import key, page

ADDRESS = f"s3://{BUCKET}/naver"
SECOND, THIRD = "20260102T040405Z-0002", "20260102T050405Z-0003"


@pytest.fixture
def root(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive with one run, whose captures are in an object store."""
    monkeypatch.setenv(VARIABLE, ADDRESS)
    return new_archive(tmp_path / "archive", 1, 2)


def uploaded(server: S3Server) -> list[str]:
    return [name.removeprefix("naver/") for name in server.names() if name != f"naver/{MARK}"]


def run_again(root: Path, run: str = SECOND) -> None:
    with open_archive(root) as archive:
        store_new(archive, int(run[-1]) + 1, run=run)


def waiting(root: Path) -> Uploads:
    found = last(root)
    assert found is not None
    return found


def test_a_run_uploads_its_captures_and_keeps_no_copy(root: Path, server: S3Server) -> None:
    assert spooled(root) == []
    assert uploaded(server) == capture_names(root)
    assert rows(root, "SELECT name FROM capture_files") == [(name,) for name in uploaded(server)]
    assert server.objects[f"{BUCKET}/naver/{MARK}"].decode() == load(root).id
    assert waiting(root).waiting == 0
    assert verify_archive(root).faults == []


def test_a_record_is_read_in_one_request_if_its_length_is_known(root: Path, server: S3Server) -> None:
    known = refs_of(root)[2]
    for ref in (known, CaptureRef(known.file, known.offset)):
        server.seen.clear()
        assert read_capture(root, ref).url == key(2).url
        assert [method for method, _ in server.seen] == ["GET"]


def test_a_large_record_of_unknown_length_is_read_in_two_requests(root: Path, server: S3Server) -> None:
    content = os.urandom(200_000)  # random bytes do not become smaller
    with open_archive(root) as archive:
        store_new(archive, 3, run=SECOND)
        ref = archive.capture(page(key(9).url, payload=gzip.compress(content), content=content))
    server.seen.clear()
    (root / "captures").rename(root / "elsewhere")
    name = next((root / "elsewhere").rglob(f"{SECOND}-*.gz"))
    server.objects[f"{BUCKET}/naver/{ref.file}"] = name.read_bytes()
    assert read_capture(root, CaptureRef(ref.file, ref.offset)).content == content
    assert [method for method, _ in server.seen] == ["GET", "GET"]


def test_the_archive_is_the_same_as_one_in_a_directory(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    other = new_archive(tmp_path / "other", 1, 2)
    offsets = "SELECT * EXCLUDE (capture_offset, capture_length) FROM articles"  # ids of records differ
    assert rows(root, offsets) == rows(other, offsets)
    assert not (other / "archive.toml").exists()


def test_a_store_that_is_away_is_no_reason_to_stop(root: Path, server: S3Server) -> None:
    server.faults.update({"GET": hang_up, "PUT": hang_up})
    before = uploaded(server)
    run_again(root)
    found = waiting(root)
    assert (found.waiting, found.bytes) == (1, (root / spooled(root)[0]).stat().st_size)
    assert found.since is not None
    assert "cannot be reached" in found.fault
    with open_snapshot(root) as connection:
        assert status(connection, root)["captures"]["waiting"] == 1
    with pytest.raises(ObjectStoreUnavailable):
        verify_archive(root)

    server.faults.clear()
    run_again(root, THIRD)
    assert spooled(root) == []
    assert len(uploaded(server)) == len(before) + 2
    assert (waiting(root).waiting, waiting(root).since, waiting(root).fault) == (0, None, "")
    assert verify_archive(root).faults == []


def test_a_disk_that_is_not_mounted_is_no_empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The captures of a run would be hidden below the disk once it is mounted again."""
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    monkeypatch.setenv(VARIABLE, disk.as_uri())
    root = new_archive(tmp_path / "archive", 1, 2)
    disk.rename(elsewhere)
    disk.mkdir()
    run_again(root)
    assert (waiting(root).waiting, list(disk.iterdir())) == (1, [])
    assert "Mount the disk" in waiting(root).fault
    with pytest.raises(ObjectStoreUnavailable, match="Mount the disk"):
        verify_archive(root)

    disk.rmdir()
    elsewhere.rename(disk)
    run_again(root, THIRD)
    assert (waiting(root).waiting, spooled(root)) == (0, [])
    assert verify_archive(root).faults == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (refuse(403, "AccessDenied"), "refuses access (403 AccessDenied)"),
        (refuse(404, "NoSuchBucket"), "no such bucket"),
        (refuse(412, "PreconditionFailed"), "does not exist"),  # a store that only says that the name is taken
        (keep_half, "not what was uploaded"),
    ],
)
def test_an_upload_that_fails_leaves_the_local_copy_and_says_why(
    root: Path, server: S3Server, fault: Callable[..., bool], says: str
) -> None:
    server.faults["PUT"] = fault
    run_again(root)
    assert len(spooled(root)) == 1
    assert says in waiting(root).fault
    everything = "".join(path.read_text("utf-8", "replace") for path in root.rglob("*.json"))
    assert KEY not in everything
    assert SECRET not in everything

    server.faults.clear()
    run_again(root, THIRD)  # also completes what was stored in half
    assert spooled(root) == []
    assert verify_archive(root).faults == []


def test_another_object_under_the_name_of_a_file_is_not_replaced(root: Path, server: S3Server) -> None:
    name = f"{BUCKET}/naver/captures/2026/01/02/{SECOND}-00000.warc.gz"
    server.objects[name] = b"of somebody else"
    run_again(root)
    run_again(root, THIRD)
    assert server.objects[name] == b"of somebody else"
    assert [Path(one).name for one in spooled(root)] == [f"{SECOND}-00000.warc.gz"]  # the third was uploaded
    assert "not what was uploaded" in waiting(root).fault


@pytest.mark.parametrize("damage", ["missing", "altered", "shorter"])
def test_verify_finds_an_object_that_is_not_the_one_that_was_written(root: Path, server: S3Server, damage: str) -> None:
    (name,) = uploaded(server)
    data = server.objects.pop(f"{BUCKET}/naver/{name}")
    if damage != "missing":
        changed = data[:-100] if damage == "shorter" else data[:300] + b"x" + data[301:]
        server.objects[f"{BUCKET}/naver/{name}"] = changed
    faults = verify_archive(root).faults
    assert any(name in fault for fault in faults)


def test_an_object_that_is_missing_is_an_error_where_it_is_read(root: Path, server: S3Server) -> None:
    (name,) = uploaded(server)
    del server.objects[f"{BUCKET}/naver/{name}"]
    with pytest.raises(ArchiveDamaged, match="does not exist"):
        read_capture(root, refs_of(root)[1])


def test_an_archive_is_rebuilt_from_the_object_store_alone(root: Path, server: S3Server, tmp_path: Path) -> None:
    run_again(root)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "archive.toml").write_bytes((root / "archive.toml").read_bytes())
    assert repair(fresh).left == []
    assert contents(fresh) == contents(root)
    assert rebuild(root).left == []


def test_a_database_from_a_backup_catches_up_with_the_object_store(root: Path, server: S3Server) -> None:
    backup = (root / "state" / "writer.duckdb").read_bytes()
    run_again(root)
    after = contents(root)
    (root / "state" / "writer.duckdb").write_bytes(backup)
    with open_archive(root) as archive:
        assert any("did not know 1 of the captures" in note for note in archive.notes)
        archive.publish_at_end()
    assert contents(root) == after


@pytest.mark.parametrize("at", ["kill()", "archive._writer.sync = kill", "archive._db.close = kill"])
def test_a_killed_run_is_finished_and_uploaded_by_the_next(root: Path, server: S3Server, at: str) -> None:
    killed(root, at)
    run_again(root, THIRD)
    assert spooled(root) == []
    assert set(uploaded(server)) == {str(name) for (name,) in rows(root, "SELECT name FROM capture_files")}
    assert verify_archive(root).faults == []


def test_two_archives_in_one_place_are_refused(root: Path, server: S3Server, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="captures of another archive"):
        new_archive(tmp_path / "second", 3)
    assert uploaded(server) == capture_names(root)


def test_another_address_than_the_archive_uses_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"s3://{BUCKET}/elsewhere")
    with pytest.raises(BadInput, match="seogo captures move"):
        run_again(root)
    monkeypatch.delenv(VARIABLE)  # the archive remembers
    run_again(root)
    assert spooled(root) == []


@pytest.mark.parametrize("text", ["captures = 3", "captures", 'bucket = "s3://a/b"', 'captures = "ftp://a/b"'])
def test_settings_that_are_wrong_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "archive.toml").write_text(text, "utf-8")
    with pytest.raises(BadInput, match=r"archive\.toml|object store"):
        new_archive(tmp_path, 1)


def test_captures_are_moved_to_a_store_and_back(server: S3Server, tmp_path: Path) -> None:
    root = new_archive(tmp_path / "archive", 1)
    run_again(root)
    files, before = {name: (root / name).read_bytes() for name in spooled(root)}, contents(root)

    moved = move_captures(root, ADDRESS)
    assert (moved.captures, moved.files, moved.moved) == (ADDRESS, 2, 2)
    assert (spooled(root), uploaded(server)) == ([], sorted(files))
    assert verify_archive(root).faults == []

    back = move_captures(root, "directory")
    assert (back.files, back.moved) == (2, 2)
    assert {name: (root / name).read_bytes() for name in spooled(root)} == files
    assert server.names() == []
    assert contents(root) == before
    assert last(root) is None
    assert verify_archive(root).faults == []


def test_a_move_to_a_store_that_refuses_is_an_error(server: S3Server, tmp_path: Path) -> None:
    root = new_archive(tmp_path / "archive", 1)
    server.faults["PUT"] = refuse(403, "AccessDenied")
    with pytest.raises(ObjectStoreFault, match="refuses access"):
        move_captures(root, ADDRESS)
    assert len(spooled(root)) == 1


def test_a_move_back_stops_at_an_object_that_is_damaged(
    root: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    name = f"{BUCKET}/naver/{uploaded(server)[0]}"
    server.objects[name] = server.objects[name][:-1] + b"x"
    with pytest.raises(ArchiveDamaged, match="not the file that was written"):
        move_captures(root, "directory")
    assert (load(root).home, spooled(root)) == (ADDRESS, [])
    assert name in server.objects


def test_a_move_back_believes_no_list_that_lacks_a_file(
    root: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    server.faults["GET"] = list_nothing
    assert move_captures(root, "directory").moved == 1
    assert len(spooled(root)) == 1
    assert verify_archive(root).faults == []


def test_a_file_that_was_lost_in_the_store_does_not_keep_the_others_there(
    root: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_again(root)
    monkeypatch.delenv(VARIABLE)
    lost = uploaded(server)[0]
    del server.objects[f"{BUCKET}/naver/{lost}"]
    assert move_captures(root, "directory").moved == 1
    assert any(lost in fault for fault in verify_archive(root).faults)


@pytest.mark.parametrize("name", ["captures/../../outside.warc.gz", "captures/2026/../../../outside.warc.gz"])
def test_an_object_whose_name_leads_out_of_the_archive_is_refused(
    root: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    server.objects[f"{BUCKET}/naver/{name}"] = b"x"
    monkeypatch.delenv(VARIABLE)
    with pytest.raises((ArchiveDamaged, ObjectStoreFault)):
        move_captures(root, "directory")
    assert not list(root.parent.rglob("outside*"))


@pytest.mark.every(6)
@pytest.mark.parametrize("request_number", range(1, 19))
def test_a_move_that_is_killed_loses_nothing_and_goes_on(server: S3Server, tmp_path: Path, request_number: int) -> None:
    """Killed before the store answers a request: there and back are eighteen requests."""
    root = new_archive(tmp_path / "archive", 1)
    run_again(root)
    files = {name: (root / name).read_bytes() for name in spooled(root)}

    kill_at(server, root, request_number)
    kept = {name.removeprefix("naver/"): data for name, data in _objects(server).items()}
    kept |= {name: (root / name).read_bytes() for name in spooled(root)}
    assert files.items() <= kept.items()

    move_captures(root, ADDRESS)
    assert (spooled(root), uploaded(server)) == ([], sorted(files))
    move_captures(root, "directory")
    assert {name: (root / name).read_bytes() for name in spooled(root)} == files
    assert server.names() == []


def kill_at(server: S3Server, root: Path, number: int) -> None:
    """Move there and back in a process that is killed at a request."""
    code = (
        "from pathlib import Path; from flows.runs.move_captures import move_captures as move\n"
        f"root = Path({str(root)!r}); move(root, {ADDRESS!r}); move(root, 'directory')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    left = [number]

    def fault(_: object) -> bool:
        left[0] -= 1
        if left[0] == 0:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return False

    server.faults.update(dict.fromkeys(("GET", "PUT", "HEAD", "POST"), fault))
    assert process.wait(timeout=60) == -signal.SIGKILL
    server.faults.clear()


def _objects(server: S3Server) -> dict[str, bytes]:
    return {name.removeprefix(f"{BUCKET}/"): data for name, data in server.objects.items()}


def test_an_error_once_does_not_keep_a_file_from_being_uploaded(root: Path, server: S3Server) -> None:
    server.faults["PUT"] = once(refuse(503, "SlowDown"))
    run_again(root)
    assert spooled(root) == []
