"""Readers ask the archive all the time while a writer writes all the time and one is killed: no error, whole states."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from storage.archive import open_archive
from storage.integrity.repair import verify_archive
from storage.reading.reader import open_snapshot
from tests.programs.readers_at_work import look
from tests.support.command import environment

Process = subprocess.Popen[str]


@contextmanager
def at_work(*words: object) -> Iterator[Process]:
    """A process of `readers_at_work`, gone at the end of the block."""
    command = [sys.executable, "-m", "tests.programs.readers_at_work", *map(str, words)]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def wait_for_run(writer: Process) -> None:
    """Until the writer has ended one more run. Fails where it ended instead."""
    assert writer.stdout is not None
    assert writer.stderr is not None
    if writer.stdout.readline() != "run\n":
        pytest.fail(writer.stderr.read())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("readers", "seconds"), [(8, 6.0), pytest.param(8, 600.0, marks=pytest.mark.long)], ids=["6s", "10min"]
)
def test_readers_see_whole_states_whatever_the_writers_do(tmp_path: Path, readers: int, seconds: float) -> None:
    root = tmp_path / "archive"
    with ExitStack() as stack:
        writer = stack.enter_context(at_work("write", root))
        wait_for_run(writer)
        asking = [stack.enter_context(at_work("read", root, seconds)) for _ in range(readers)]
        asking.append(stack.enter_context(at_work("stay", root, seconds)))
        time.sleep(seconds / 2)
        assert writer.poll() is None
        writer.kill()
        writer.wait()
        next_writer = stack.enter_context(at_work("write", root))
        wait_for_run(next_writer)
        accounts = [_account(reader, seconds) for reader in asking]
        assert next_writer.poll() is None
        next_writer.kill()
        next_writer.wait()
    newest = max(reader["articles"] for reader in accounts)
    assert max(reader["states"] for reader in accounts) > 1, accounts
    assert accounts[-1]["articles"] < newest, "the one that stayed has seen the newest state"
    with open_archive(root), open_snapshot(root) as connection:
        assert look(connection).articles >= newest
    assert not verify_archive(root).faults


def _account(reader: Process, seconds: float) -> dict[str, int]:
    out, err = reader.communicate(timeout=seconds + 60)
    assert (reader.returncode, err) == (0, "")
    account: dict[str, int] = json.loads(out)
    return account
