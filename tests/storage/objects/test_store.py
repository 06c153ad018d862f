"""Object stores: what is created, read, listed and deleted, and a clear error for each thing that goes wrong."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import (
    BadInput,
    MissingKey,
    ObjectChanged,
    ObjectExists,
    ObjectMissing,
    ObjectStoreFault,
    ObjectStoreRefused,
    ObjectStoreUnavailable,
    SeogoError,
)
from storage.objects.address import parse_address
from storage.objects.store import CHUNK, ObjectStore, Patience, open_store
from tests.support.servers.s3 import (
    BUCKET,
    KEY,
    SECRET,
    Fault,
    S3Server,
    hang_up,
    keep_half,
    once,
    refuse,
    s3_server,
    say_twice_the_size,
    send_half,
    send_other_range,
    send_page,
    send_too_little,
    wait,
)

HASTY = Patience(reading=0.5, upload=0.5, tries=1, all_tries=1)


@pytest.fixture
def s3(server: S3Server) -> ObjectStore:
    return open_store(f"s3://{BUCKET}/archive", HASTY)


@pytest.fixture(params=["s3", "file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    match request.param:
        case "s3":
            found: ObjectStore = request.getfixturevalue("s3")
            return found
        case "file":
            return open_store(f"file://{tmp_path}/objects")
        case _:
            return open_store(f"memory://test/{tmp_path.name}")


def test_objects_are_created_read_listed_and_deleted(store: ObjectStore) -> None:
    store.create("captures/b.gz", b"second")
    store.create("captures/a.gz", b"first")
    store.create("other", b"x")

    assert [item.name for item in store.list("captures")] == ["captures/a.gz", "captures/b.gz"]
    assert [item.name for item in store.list("captures", after="captures/a.gz")] == ["captures/b.gz"]
    assert [item.bytes for item in store.list()] == [5, 6, 1]
    assert store.get("captures/a.gz") == b"first"
    assert store.get_range("captures/b.gz", 1, 3) == b"eco"
    assert store.get_range("captures/b.gz", 4, 300) == b"nd"
    assert store.head("other").bytes == 1

    store.delete(["captures/a.gz", "captures/none.gz"])
    assert store.find("captures/a.gz") is None
    with pytest.raises(ObjectMissing, match=r"captures/a\.gz does not exist"):
        store.get("captures/a.gz")


def test_a_name_is_taken_once(store: ObjectStore) -> None:
    store.create("mark", b"ours")
    with pytest.raises(ObjectExists, match="mark exists already"):
        store.create("mark", b"theirs")
    assert store.get("mark") == b"ours"
    store.replace("mark", b"newer")
    assert store.get("mark") == b"newer"


def test_a_file_is_uploaded_read_back_and_downloaded(store: ObjectStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * (CHUNK // 256) + b"more than one part"
    path, digest = tmp_path / "segment", hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
    store.create("segment", path)

    store.check("segment", len(data), digest)
    copy = io.BytesIO()
    assert store.download("segment", copy) == digest
    assert copy.getvalue() == data
    with pytest.raises(ObjectChanged, match="not what was uploaded"):
        store.check("segment", len(data), "0" * 64)


def test_a_range_behind_the_end_is_an_object_that_changed(store: ObjectStore) -> None:
    store.create("short", b"12345")
    with pytest.raises(ObjectChanged, match="shorter than it was"):
        store.get_range("short", 30, 10)


def test_an_object_that_is_replaced_while_it_is_read_is_an_error(store: ObjectStore) -> None:
    store.create("segment", b"one")
    tag = store.head("segment").etag
    store.replace("segment", b"other")
    with pytest.raises(ObjectChanged, match="replaced while it was read"):
        store.get_range("segment", 0, 3, etag=tag)


@pytest.mark.parametrize(
    ("method", "fault", "error", "says"),
    [
        ("GET", refuse(403, "AccessDenied"), ObjectStoreRefused, r"refuses access \(403 AccessDenied\)"),
        ("GET", refuse(401, "InvalidToken"), ObjectStoreRefused, r"refuses access \(401 InvalidToken\)"),
        ("GET", refuse(404, "NoSuchBucket"), ObjectStoreRefused, "no such bucket"),
        ("GET", refuse(301, "PermanentRedirect"), ObjectStoreRefused, "another region"),
        ("GET", refuse(400, "AuthorizationHeaderMalformed"), ObjectStoreRefused, "another region"),
        ("GET", refuse(400, "InvalidRequest"), ObjectStoreRefused, r"refuses the request \(400 InvalidRequest\)"),
        ("GET", refuse(503, "SlowDown"), ObjectStoreUnavailable, r"does not serve the request \(503 SlowDown\)"),
        ("GET", hang_up, ObjectStoreUnavailable, "cannot be reached"),
        ("GET", wait(1), ObjectStoreUnavailable, "does not answer in time"),
        ("GET", send_half, ObjectStoreUnavailable, "cannot be reached"),
        ("GET", send_other_range, ObjectStoreFault, "not one of S3"),
        ("GET", send_page, ObjectStoreFault, "not one of S3"),
        ("GET", send_too_little, ObjectChanged, "sent other bytes than those asked for"),
        ("GET", say_twice_the_size, ObjectStoreFault, "not one of S3"),
        ("PUT", refuse(403, "AccessDenied"), ObjectStoreRefused, r"refuses access \(403 AccessDenied\)"),
        ("PUT", refuse(404, "NoSuchBucket"), ObjectStoreRefused, "no such bucket"),
        ("PUT", send_page, ObjectStoreFault, "not one of S3"),
        ("PUT", hang_up, ObjectStoreUnavailable, "cannot be reached"),
        ("PUT", wait(1), ObjectStoreUnavailable, "does not answer in time"),
    ],
)
def test_each_fault_is_a_clear_error_without_a_key(
    s3: ObjectStore, server: S3Server, method: str, fault: Fault, error: type[SeogoError], says: str
) -> None:
    s3.create("segment", b"1234567890")
    server.faults[method] = fault
    act: Callable[[], object] = (
        (lambda: s3.create("new", b"x")) if method == "PUT" else lambda: s3.get_range("segment", 0, 10)
    )
    with pytest.raises(error, match=says) as raised:
        act()
    assert f"s3://{BUCKET}/archive/" in str(raised.value)
    assert KEY not in str(raised.value)
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None  # a traceback would show the server's answer
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_list_that_is_none(s3: ObjectStore, server: S3Server) -> None:
    assert list(s3.list("captures")) == []
    for fault, says in ((send_page, "not one of S3"), (refuse(403, "AccessDenied"), "refuses access")):
        server.faults.update(dict.fromkeys(("GET", "HEAD"), fault))
        with pytest.raises(ObjectStoreFault, match=says):
            list(s3.list("captures"))


def test_a_page_of_another_server_is_no_object(s3: ObjectStore, server: S3Server) -> None:
    s3.create("segment", b"1234567890")
    server.faults.update(dict.fromkeys(("GET", "HEAD"), send_page))
    for act in (s3.get, s3.find, s3.head, lambda name: s3.download(name, io.BytesIO())):
        with pytest.raises(ObjectStoreFault, match="not one of S3"):
            act("segment")


def test_an_upload_that_is_stored_in_half_is_found_when_it_is_read_back(s3: ObjectStore, server: S3Server) -> None:
    data = b"0123456789"
    server.faults["PUT"] = keep_half
    s3.create("segment", data)
    with pytest.raises(ObjectChanged, match="5 bytes there, 10 here"):
        s3.check("segment", len(data), hashlib.sha256(data).hexdigest())


def test_a_fault_that_passes_is_tried_again(server: S3Server) -> None:
    store = open_store(f"s3://{BUCKET}/archive", Patience(reading=2, upload=2, tries=3, all_tries=5))
    server.faults["PUT"] = once(hang_up)
    server.faults["GET"] = once(refuse(503, "SlowDown"))
    store.create("segment", b"whole")
    assert store.get("segment") == b"whole"


def test_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
    store = open_store(f"s3://{BUCKET}/archive", HASTY)
    for act in (lambda: store.get("x"), lambda: list(store.list()), lambda: store.create("x", b"")):
        with pytest.raises(ObjectStoreUnavailable, match="cannot be reached"):
            act()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "bucket/prefix",
            "https://host/bucket",
            "s3://",
            "s3://B_ucket/x",
            "s3://bucket/../x",
            "s3://bucket/a//b",
            "file:relative",
            "file:/absolute",
        ),
        *("s3://bucket/a b", "file://host/path", "file:///", "s3://key:secret@bucket/x", "s3://bucket/x?token=secret"),
    ],
)
def test_an_address_that_is_none_is_refused_without_a_credential(text: str) -> None:
    with pytest.raises(BadInput, match="object store") as raised:
        parse_address(text)
    assert "secret" not in str(raised.value)


def test_an_address_is_written_as_it_is_read() -> None:
    for text in ("s3://bucket", "s3://bucket/a/b", "file:///var/objects", "memory://test/a"):
        assert str(parse_address(text)) == text
    assert str(parse_address("s3://bucket/a/").below("b/c")) == "s3://bucket/a/b/c"


def test_credentials_come_from_the_environment(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(BadInput, match="plain http"):
        open_store(f"s3://{BUCKET}/archive")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(MissingKey, match="AWS_ACCESS_KEY_ID"):
        open_store(f"s3://{BUCKET}/archive")
