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


def wait_for(line: str, process: Process) -> None:
    """Until the process has printed the line. Fails where it ended instead."""
    assert process.stdout is not None
    assert process.stderr is not None
    if process.stdout.readline() != f"{line}\n":
        pytest.fail(process.stderr.read())


def runs(writer: Process, seconds: float) -> None:
    """At least three runs of the writer, and as many as fit into the time."""
    end, number = time.monotonic() + seconds, 0
    while number < 3 or time.monotonic() < end:
        wait_for("run", writer)
        number += 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("readers", "seconds"), [(4, 0.0), pytest.param(8, 600.0, marks=pytest.mark.long)], ids=["short", "10min"]
)
def test_readers_see_whole_states_whatever_the_writers_do(tmp_path: Path, readers: int, seconds: float) -> None:
    root, stop = tmp_path / "archive", tmp_path / "stop"
    with ExitStack() as stack:
        writer = stack.enter_context(at_work("write", root))
        wait_for("run", writer)
        reading = [stack.enter_context(at_work("read", root, stop)) for _ in range(readers)]
        reading.append(stack.enter_context(at_work("stay", root, stop)))
        for reader in reading:
            wait_for("reading", reader)
        runs(writer, seconds / 2)
        writer.kill()
        writer.wait()
        next_writer = stack.enter_context(at_work("write", root))
        runs(next_writer, seconds / 2)
        stop.touch()
        accounts = [_account(reader) for reader in reading]
        next_writer.kill()
        next_writer.wait()
    newest = max(reader["articles"] for reader in accounts)
    assert min(reader["states"] for reader in accounts[:-1]) > 1, accounts
    assert accounts[-1]["articles"] < newest, "the one that stayed has seen the newest state"
    with open_archive(root), open_snapshot(root) as connection:
        assert look(connection).articles >= newest
    assert not verify_archive(root).faults


def _account(reader: Process) -> dict[str, int]:
    out, err = reader.communicate(timeout=60)
    assert (reader.returncode, err) == (0, "")
    account: dict[str, int] = json.loads(out)
    return account
