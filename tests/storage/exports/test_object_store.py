"""A whole state in an object store, and the Delta table: what others read there, after every publication and kill."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from flows.runs.publish import PublishOrder, publish
from schemas.errors import BadInput, ObjectStoreFault
from schemas.find import RevisionKind
from storage.archive import open_archive
from storage.exports import delta
from storage.exports.delta import TABLE, export_delta
from storage.exports.full import export
from storage.exports.object_store import MANIFEST, export_to_store
from storage.reading.changes import changes
from storage.reading.reader import open_snapshot
from tests.support.archives import new_archive, rows, store_new, store_results
from tests.support.command import environment
from tests.support.histories.analyst import make
from tests.support.servers.s3 import BUCKET, SECRET, S3Server, refuse, s3_server
from tests.support.values import article, stored

READERS = Path(sys.prefix) / "readers"
SECOND, THIRD = "20260102T040405Z-0002", "20260102T050405Z-0003"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def address(place: Path) -> str:
    return f"file://{place}"


def manifest(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / MANIFEST).read_bytes())
    return found


def stored_there(place: Path) -> set[str]:
    return {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()} - {MANIFEST}


def test_a_state_is_whole_and_the_next_one_replaces_it(tmp_path: Path, place: Path, address: str) -> None:
    root = new_archive(tmp_path / "archive", 1, 2)
    done = export_to_store(root, address)
    first = manifest(place)
    assert set(done.uploaded) == set(first["files"]) == stored_there(place)
    assert first["cursor"] == done.cursor
    assert pq.read_table(place / first["articles"][0]).num_rows == 2
    assert not export_to_store(root, address).changed

    with open_archive(root) as archive:
        store_new(archive, 3, run=SECOND)
    export_to_store(root, address)
    second = manifest(place)
    assert set(second["files"]) | set(first["files"]) == stored_there(place)  # the first for who is reading it
    seqs = [seq for name in second["changes"] for seq in pq.read_table(place / name).column("seq").to_pylist()]
    with open_snapshot(root) as connection:
        assert seqs == [change["seq"] for change in changes(connection, 0)]

    with open_archive(root) as archive:
        store_new(archive, 4, run=THIRD)
    export_to_store(root, address)
    assert not set(first["files"]) - set(first["changes"]) & stored_there(place)
    assert len(manifest(place)["changes"]) == 3


def test_a_publication_that_fails_leaves_the_state_before(tmp_path: Path, server: S3Server) -> None:
    root, address = new_archive(tmp_path / "archive", 1), f"s3://{BUCKET}/public"
    export_to_store(root, address)
    before = server.objects[f"{BUCKET}/public/{MANIFEST}"]
    with open_archive(root) as archive:
        store_new(archive, 2, run=SECOND)
    for number in range(1, 5):
        server.faults["PUT"] = _nth(number, server)
        with pytest.raises(ObjectStoreFault, match="AccessDenied") as raised:
            export_to_store(root, address)
        assert SECRET not in str(raised.value)
        assert server.objects[f"{BUCKET}/public/{MANIFEST}"] == before
        named = json.loads(before)["files"]
        assert {f"{BUCKET}/public/{name}" for name in named} <= server.objects.keys()
    server.faults.clear()
    export_to_store(root, address)
    names = set(json.loads(server.objects[f"{BUCKET}/public/{MANIFEST}"])["files"])
    assert {f"{BUCKET}/public/{name}" for name in names} <= server.objects.keys()


def test_readers_find_a_whole_state_at_every_request_of_a_publication(tmp_path: Path, server: S3Server) -> None:
    """What the manifest names, and what the one before names, is there and has its checksum."""
    root, address = new_archive(tmp_path / "archive", 1), f"s3://{BUCKET}/public"
    manifests: list[bytes] = []

    def check(_: object) -> bool:
        found = server.objects.get(f"{BUCKET}/public/{MANIFEST}")
        if found is not None and found not in manifests:
            manifests.append(found)
        for one in manifests[-2:]:
            for name, entry in json.loads(one)["files"].items():
                assert hashlib.sha256(server.objects[f"{BUCKET}/public/{name}"]).hexdigest() == entry["sha256"]
        return False

    server.faults.update(dict.fromkeys(("GET", "HEAD", "PUT", "POST"), check))
    for number, run in enumerate((SECOND, THIRD), 2):
        export_to_store(root, address)
        with open_archive(root) as archive:
            store_new(archive, number, run=run)
    done = export_to_store(root, address)
    assert done.deleted != ()
    check(None)
    assert [len(json.loads(one)["changes"]) for one in manifests] == [1, 2, 3]


def _nth(number: int, server: S3Server) -> Any:
    """Refuse the n-th upload, and those after it."""
    left = [number]

    def fault(handler: Any) -> bool:
        left[0] -= 1
        return left[0] <= 0 and refuse(403, "AccessDenied")(handler)

    return fault


def test_another_archive_and_a_newer_state_are_refused(tmp_path: Path, address: str) -> None:
    root = new_archive(tmp_path / "archive", 1)
    backup = (root / "archive.duckdb").read_bytes()
    with open_archive(root) as archive:
        store_new(archive, 2, run=SECOND)
    publish(PublishOrder(root, to=address, delta=True))
    with open_archive(tmp_path / "other") as archive:
        store_new(archive, 3, run=THIRD)
    for work in (export_to_store, export_delta):
        with pytest.raises(BadInput, match="another archive"):
            work(tmp_path / "other", address)
    (root / "archive.duckdb").write_bytes(backup)
    for work in (export_to_store, export_delta):
        with pytest.raises(BadInput, match="newer state"):
            work(root, address)


def test_delta_needs_an_address(tmp_path: Path) -> None:
    root = new_archive(tmp_path / "archive", 1)
    with pytest.raises(BadInput, match="--to"):
        publish(PublishOrder(root, delta=True))
    with pytest.raises(BadInput, match="not the address of an object store"):
        publish(PublishOrder(root, to="somewhere"))


# -- Delta


def table(place: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DeltaTable(place / TABLE).to_pyarrow_table().to_pylist()
    return sorted(found, key=lambda row: str(row["id"]))


def exported(root: Path) -> list[dict[str, Any]]:
    """The articles as the whole export has them."""
    export(root, "parquet")
    files = (root / "exports" / "articles").glob("*/*.parquet")
    found = [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]
    return sorted(found, key=lambda row: str(row["id"]))


def test_the_table_follows_the_feed(tmp_path: Path, place: Path, address: str) -> None:
    root = new_archive(tmp_path / "archive", 1, 2)
    done = export_delta(root, address)
    assert (done.since, done.commits) == (0, 1)
    assert table(place) == exported(root)
    edited = stored(article(1, title="고친 제목"), revision=2, revision_kind=RevisionKind.EDITED, known=True)
    with open_archive(root) as archive:
        store_results(archive, edited, run=SECOND)
        store_new(archive, 3, run=THIRD)
    again = export_delta(root, address)
    assert (again.since, again.changed) == (done.cursor, True)
    assert table(place) == exported(root)
    assert {row["title"] for row in table(place)} >= {"고친 제목"}
    assert not export_delta(root, address).changed
    assert DeltaTable(place / TABLE).transaction_version("seogo") == again.cursor


def test_a_history_of_every_kind_of_change_in_small_commits(
    tmp_path: Path, place: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "archive")
    monkeypatch.setattr(delta, "AT_ONCE", 3)
    assert export_delta(root, address).commits > 1
    assert table(place) == exported(root)


def test_an_update_that_ends_between_two_commits_is_continued(
    tmp_path: Path, place: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "archive")
    monkeypatch.setattr(delta, "AT_ONCE", 2)
    whole = delta._merge
    done: list[int] = []

    def ends(*words: Any) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        whole(*words)
        done.append(words[-1])

    monkeypatch.setattr(delta, "_merge", ends)
    with pytest.raises(KeyboardInterrupt):
        export_delta(root, address)
    monkeypatch.setattr(delta, "_merge", whole)
    assert export_delta(root, address).since == done[-1]
    assert table(place) == exported(root)


KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
from storage.exports import delta
delta.AT_ONCE, whole, merges = 1, delta._merge, []
def die():
    time.sleep(float(sys.argv[3]))
    os.kill(os.getpid(), signal.SIGKILL)
def merge(*words):
    merges.append(words)
    if len(merges) == 2:
        threading.Thread(target=die).start()
    whole(*words)
    if len(merges) == 2:
        signal.pause()
delta._merge = merge
delta.export_delta(Path(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.long)])
def test_an_update_that_is_killed_applies_each_change_once(
    tmp_path: Path, place: Path, address: str, kills: int
) -> None:
    """Killed at some moment of its second commit, again and again."""
    root = make(tmp_path / "archive")
    cursors = [0]
    for number in range(kills):
        words = [sys.executable, "-c", KILLED, str(root), address, str((number + 1) * 0.4 / (kills + 1))]
        done = subprocess.run(words, env=environment(), check=False, timeout=120)
        assert done.returncode == -signal.SIGKILL
        cursors.append(DeltaTable(place / TABLE).transaction_version("seogo") or 0)
        ids = [row["id"] for row in table(place)]
        assert len(ids) == len(set(ids))
    assert cursors == sorted(set(cursors))  # each process got further: at least by its first commit
    assert export_delta(root, address).since == cursors[-1]
    assert table(place) == exported(root)


def test_the_table_is_compacted(tmp_path: Path, place: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = new_archive(tmp_path / "archive", 1, 2, 3)
    monkeypatch.setattr(delta, "AT_ONCE", 1)  # a file for each article
    monkeypatch.setattr(delta, "_COMPACT_AT", 3)
    export_delta(root, address)
    found = DeltaTable(place / TABLE)
    assert len(found.file_uris()) == 1
    assert "OPTIMIZE" in {entry["operation"] for entry in found.history()}
    assert table(place) == exported(root)
    assert not export_delta(root, address).changed  # the cursor is still there


def test_files_that_a_killed_update_left_are_deleted_after_a_week(tmp_path: Path, place: Path, address: str) -> None:
    root = new_archive(tmp_path / "archive", 1)
    export_delta(root, address)
    old, young = (place / TABLE / f"part-{name}.zstd.parquet" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 8 * 86_400,) * 2)
    with open_archive(root) as archive:
        store_new(archive, 2, run=SECOND)
    export_delta(root, address)
    assert (old.exists(), young.exists()) == (False, True)
    assert table(place) == exported(root)


def test_a_store_that_is_away_is_an_error_without_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = new_archive(tmp_path / "archive", 1)
    with s3_server() as server:
        environment = server.environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(delta, "_RETRIES", {"max_retries": "0", "retry_timeout": "1s"})
    with pytest.raises(ObjectStoreFault, match="Delta table cannot be read or written") as raised:
        export_delta(root, f"s3://{BUCKET}/public")
    assert SECRET not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.skipif(not READERS.is_dir(), reason=f"{READERS} is not there: `make test` makes it")
def test_polars_and_an_older_duckdb_read_the_state_and_the_table(tmp_path: Path, place: Path, address: str) -> None:
    root = new_archive(tmp_path / "archive", 1, 2, 3)
    publish(PublishOrder(root, to=address, delta=True))
    script = f"""
import json, os, deltalake, duckdb, polars
place = {str(place)!r}
state = json.load(open(place + "/manifest.json"))
files = [place + "/" + name for name in state["articles"]]
by_duckdb = duckdb.sql(f"SELECT id, title FROM read_parquet({{files}}) ORDER BY id").fetchall()
with duckdb.connect(place + "/" + state["snapshot"], read_only=True) as snapshot:
    rows = snapshot.sql("SELECT id, title FROM articles ORDER BY id").fetchall()
log = polars.read_parquet([place + "/" + name for name in state["changes"]])
table = place + "/delta/articles"
by_polars = polars.read_delta(table).sort("id").select("id", "title").rows()
articles = deltalake.DeltaTable(table).to_pyarrow_dataset()
by_arrow = duckdb.sql("SELECT id, title FROM articles ORDER BY id").fetchall()
print(json.dumps([by_duckdb, rows, by_polars, by_arrow, log.height]), flush=True)
os._exit(0)  # the threads of the three libraries sometimes abort the end of a process
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env=environment(PYTHONPATH=READERS),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = [list(row) for row in rows(root, "SELECT id, title FROM articles ORDER BY id")]
    with open_snapshot(root) as connection:
        number = len(list(changes(connection, 0)))
    assert json.loads(done.stdout) == [*[expected] * 4, number]
