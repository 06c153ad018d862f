"""Captures are uploaded while the run lasts, as soon as a file is full; and a kill after that loses nothing either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.page import CaptureRef
from storage.archive import Archive, open_archive
from storage.captures import open_captures
from storage.captures.homes import upload
from storage.captures.homes.bucket import BucketStore
from storage.captures.homes.settings import VARIABLE
from storage.captures.reader import read_capture
from storage.integrity.repair import verify_archive
from storage.state.uploads import last
from tests.support.archives import ids, rows, spooled
from tests.support.paths import ROOT
from tests.support.servers.s3 import BUCKET, S3Server, hang_up
from tests.support.values import article, ended, key, page, receipt, stored

RUN, SECOND = "20260102T030405Z-0001", "20260102T040405Z-0002"
ADDRESS = f"s3://{BUCKET}/naver"


@pytest.fixture
def root(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new archive whose captures go to an object store, and whose files are full with the first record."""
    monkeypatch.setenv(VARIABLE, ADDRESS)
    monkeypatch.setattr(BucketStore, "roll_at", 1)
    return tmp_path / "archive"


@contextmanager
def running(root: Path) -> Iterator[Archive]:
    """A run that ends with the block."""
    with open_archive(root) as archive:
        archive.start_run(receipt(RUN))
        yield archive
        archive.finish_run(ended(receipt(RUN)), {}, [])


def store(archive: Archive, number: int) -> CaptureRef:
    ref = archive.capture(page(key(number).url))
    archive.store(RUN, [stored(article(number), capture=ref)])
    return ref


def wait_for(what: Callable[[], object]) -> None:
    for _ in range(1000):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_a_full_file_is_uploaded_while_the_run_lasts(root: Path, server: S3Server) -> None:
    with running(root) as archive:
        ref = store(archive, 1)
        wait_for(lambda: not (root / ref.file).exists())
        assert f"naver/{ref.file}" in server.names()
        assert read_capture(root, ref).url == key(1).url
        assert spooled(root) == open_captures.read(root)  # the file that is being written
        before = server.names()
        store(archive, 2)
        wait_for(lambda: server.names() != before)
    assert spooled(root) == []
    assert verify_archive(root).faults == []


def test_while_the_store_is_away_the_run_goes_on_and_uploads_later(root: Path, server: S3Server) -> None:
    with running(root) as archive:
        server.faults.update({"GET": hang_up, "PUT": hang_up})
        first = store(archive, 1)
        wait_for(lambda: (found := last(root)) is not None and "cannot be reached" in found.fault)
        assert (root / first.file).exists()
        server.faults.clear()
        store(archive, 2)
        wait_for(lambda: not (root / first.file).exists())
    assert spooled(root) == []
    assert verify_archive(root).faults == []


def test_an_error_of_the_upload_that_nobody_expects_ends_the_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(upload, "upload", fails)
    with pytest.raises(RuntimeError, match="a bug"), running(root) as archive:
        store(archive, 1)


def killed_after_an_upload(root: Path) -> None:
    """Capture page 9, store article 1, wait until their files have been uploaded, and die."""
    code = f"""
import signal, time
from pathlib import Path
from storage.archive import open_archive
from storage.captures.homes.bucket import BucketStore
from tests.support.values import article, key, page, receipt, stored
BucketStore.roll_at = 1
root = Path({str(root)!r})
with open_archive(root) as archive:
    archive.start_run(receipt({RUN!r}))
    refs = [archive.capture(page(key(number).url)) for number in (9, 1)]
    archive.store({RUN!r}, [stored(article(1), capture=refs[1])])
    while any((root / ref.file).exists() for ref in refs):
        time.sleep(0.02)
    signal.raise_signal(signal.SIGKILL)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_after_a_kill_neither_the_store_nor_the_log_of_the_database_is_needed(root: Path, server: S3Server) -> None:
    """And a response that was uploaded, and not stored, replaces a request in the next run."""
    killed_after_an_upload(root)
    (root / "state" / "writer.duckdb.wal").unlink(missing_ok=True)
    server.faults.update({"GET": hang_up, "PUT": hang_up})
    with open_archive(root) as archive:
        archive.publish_at_end()
    assert ids(root) == {key(1).id}
    assert rows(root, "SELECT url FROM unprocessed") == [(key(9).url,)]

    server.faults.clear()
    with open_archive(root) as archive:
        archive.start_run(receipt(SECOND))
        found = archive.captured_answer(key(9).url)
        assert found is not None
        archive.store(SECOND, [stored(article(9), capture=found.capture)])
        archive.finish_run(ended(receipt(SECOND)), {}, [])
    assert rows(root, "FROM unprocessed") == []
    assert spooled(root) == []
    assert verify_archive(root).faults == []
