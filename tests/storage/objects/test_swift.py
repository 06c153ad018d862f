"""The same against a real S3 server: OpenStack Swift on loopback (`make object-store`)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable

from flows.runs.move_captures import move_captures
from flows.runs.publish import PublishOrder, publish
from schemas.errors import BadInput, ObjectChanged, ObjectExists, ObjectMissing, ObjectStoreFault, ObjectStoreRefused
from storage.archive import open_archive
from storage.captures.homes.settings import VARIABLE
from storage.captures.reader import capture_names
from storage.exports.delta import TABLE, export_delta
from storage.exports.object_store import MANIFEST
from storage.integrity.repair import repair, verify_archive
from storage.objects.store import CHUNK, ObjectStore, open_store
from tests.support.archives import contents, new_archive, rows, store_new
from tests.support.servers.swift import BUCKET, SWIFT, client_environment, swift_server

pytestmark = [
    pytest.mark.long,  # the same as test_store.py and test_object_store.py, against a real server
    pytest.mark.skipif(not SWIFT.is_dir(), reason=f"{SWIFT} is not there: `make object-store` makes it"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with swift_server(tmp_path_factory.mktemp("swift")) as port:
        yield port


@pytest.fixture
def store(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    for name, value in client_environment(port).items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://{BUCKET}/{tmp_path.name}")


def test_objects(store: ObjectStore, tmp_path: Path) -> None:
    data = os.urandom(CHUNK + 1000)
    path = tmp_path / "segment"
    path.write_bytes(data)
    store.create("captures/b", path)
    store.create("captures/a", b"12345")
    with pytest.raises(ObjectExists):
        store.create("captures/a", b"other")
    assert [(item.name, item.bytes) for item in store.list("captures")] == [
        ("captures/a", 5),
        ("captures/b", len(data)),
    ]
    assert [item.name for item in store.list("captures", after="captures/a")] == ["captures/b"]
    store.check("captures/b", len(data), hashlib.sha256(data).hexdigest())
    assert store.get_range("captures/b", CHUNK - 10, 20) == data[CHUNK - 10 : CHUNK + 10]
    tag = store.head("captures/a").etag
    store.replace("captures/a", b"67890")
    for start, version in ((0, tag), (9, None)):
        with pytest.raises(ObjectChanged):
            store.get_range("captures/a", start, 5, etag=version)
    store.delete(["captures/a", "captures/none"])
    with pytest.raises(ObjectMissing):
        store.get("captures/a")


def test_wrong_rights_and_a_missing_bucket(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ObjectStoreRefused, match="no such bucket"):
        open_store("s3://no-such-bucket/a").create("x", b"")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(ObjectStoreRefused, match=r"refuses access \(403 SignatureDoesNotMatch\)"):
        open_store(str(store.address)).get("x")


def test_an_archive_with_its_captures_there(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(store.address))
    root = new_archive(tmp_path / "archive", 1, 2)
    with open_archive(root) as archive:
        store_new(archive, 3, run="20260102T040405Z-0002")
    assert [item.name for item in store.list("captures")] == sorted(capture_names(root))
    assert not list((root / "captures").rglob("*.gz"))
    assert verify_archive(root).faults == []
    with pytest.raises(BadInput, match="captures of another archive"):
        new_archive(tmp_path / "second", 4)

    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "archive.toml").write_bytes((root / "archive.toml").read_bytes())
    assert repair(fresh).left == []
    assert contents(fresh) == contents(root)

    monkeypatch.delenv(VARIABLE)
    assert move_captures(root, "directory").moved == 2
    assert list(store.list()) == []
    assert move_captures(root, str(store.address)).moved == 2
    assert verify_archive(root).faults == []


def test_a_publication(store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = new_archive(tmp_path / "archive", 1, 2)
    publish(PublishOrder(root, to=str(store.address), delta=True))
    with open_archive(root) as archive:
        store_new(archive, 3, run="20260102T040405Z-0002")
    done = publish(PublishOrder(root, to=str(store.address), delta=True))
    assert done.delta is not None
    assert done.delta.commits == 1
    state = json.loads(store.get(MANIFEST))
    for name, entry in state["files"].items():
        store.check(name, entry["bytes"], entry["sha256"])
    options = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    found = DeltaTable(f"{store.address}/{TABLE}", storage_options=options)
    ids = [(id_,) for id_ in found.to_pyarrow_table(columns=["id"]).column("id").to_pylist()]
    assert sorted(ids) == rows(root, "SELECT id FROM articles ORDER BY id")
    assert found.transaction_version("seogo") == state["cursor"]

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(ObjectStoreFault) as raised:
        export_delta(root, str(store.address))
    assert "Signature" not in str(raised.value)
