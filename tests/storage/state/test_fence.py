"""The lease of an archive over several machines: a frozen writer that has lost it commits nothing more."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from schemas.errors import ArchiveBusy, LeaseLost, SeogoError, StorageFault
from storage.archive import open_archive
from storage.integrity.repair import verify_archive
from storage.state import fence
from storage.state.fence import fenced
from tests.support.archives import ids, store_new
from tests.support.servers.machines import shared_database
from tests.support.values import article, key, page, stored

SECONDS = 1.0


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with shared_database() as address:
        yield address


@pytest.fixture(autouse=True)
def shared(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEOGO_LEASE", database)
    monkeypatch.setattr(fence, "LEASE_SECONDS", SECONDS)


def test_one_machine_at_a_time(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    with fenced(root):
        with pytest.raises(ArchiveBusy, match=f"process {os.getpid()} on"), open_archive(root):
            pass
        time.sleep(SECONDS * 2)  # a holder that lives keeps the lease
        with pytest.raises(ArchiveBusy), fenced(root):
            pass
    with open_archive(root) as archive:
        store_new(archive, 1)


def write_on_request(root: Path, address: str, asked: Connection) -> None:
    """A writer that stores an article, and another when it is asked to; it answers with the error, if there is one."""
    os.environ["SEOGO_LEASE"] = address
    fence.LEASE_SECONDS = SECONDS
    try:
        with open_archive(root) as archive:
            store_new(archive, 1)
            asked.send("stored")
            asked.recv()
            capture = archive.capture(page(key(2).url))
            archive.store("20260102T030405Z-0001", [stored(article(2), capture=capture)])
    except SeogoError as error:
        asked.send(repr(error))
    else:
        asked.send("stored more")


@pytest.mark.slow
def test_a_frozen_writer_that_lost_the_lease_fails_at_its_next_commit(tmp_path: Path, database: str) -> None:
    root = tmp_path / "archive"
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    writer = context.Process(target=write_on_request, args=(root, database, theirs))
    writer.start()
    assert ours.recv() == "stored"
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGSTOP)
    with fenced(root, wait=30):  # another machine: it waits until the session of the frozen one has ended
        os.kill(writer.pid, signal.SIGCONT)
        ours.send("more")
        assert ours.recv().startswith("LeaseLost(")
        writer.join()
    with open_archive(root):
        pass
    assert ids(root) == {key(1).id}
    assert verify_archive(root).faults == []


def test_a_number_that_is_not_the_newest_commits_nothing(tmp_path: Path, database: str) -> None:
    import psycopg

    root = tmp_path / "archive"

    def overtaken() -> None:
        with open_archive(root) as archive:
            store_new(archive, 1)
            with psycopg.connect(database) as other:
                other.execute("UPDATE seogo_lease SET number = number + 1")
            store_new(archive, 2, run="20260103T030405Z-0002")

    with pytest.raises(LeaseLost, match="is its writer now"):
        overtaken()
    with open_archive(root):
        pass
    assert ids(root) == {key(1).id}


def test_a_user_of_the_database_without_rights_writes_nothing(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    with fenced(tmp_path / "archive"):
        pass  # the table is there
    with psycopg.connect(database) as owner:
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        owner.execute("CREATE ROLE guest LOGIN")
    monkeypatch.setenv("SEOGO_LEASE", database.replace("prefect@", "guest@"))
    refused = pytest.raises(StorageFault, match=r"\(InsufficientPrivilege\).*the rights of its user")
    with refused, open_archive(tmp_path / "archive"):
        pass
    assert not (tmp_path / "archive" / "articles").exists()


def test_without_the_database_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEOGO_LEASE", "postgresql://someone:secret@127.0.0.1:9/none")
    with pytest.raises(StorageFault, match="Nothing is written without it") as raised, open_archive(tmp_path / "a"):
        pass
    assert "secret" not in str(raised.value)
