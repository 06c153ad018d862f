"""Several processes at one port."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.support.servers.prefect import until
from tests.support.servers.serving import client_of, serving_process


def workers_of(pid: int) -> set[int]:
    """The processes that answer for this one."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if int(parent) == pid and b"spawn_main" in command:
            found.add(int(folder.name))
    return found


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def counted(address: str) -> int:
    """How often /healthz was answered, as whichever process is asked tells."""
    with client_of(address) as client:
        text = client.get("/metrics").text
    return sum(int(float(number)) for number in re.findall(r'answers_total\{route="/healthz".*\} (\S+)', text))


def test_a_killed_one_is_started_again_and_what_it_counted_stays(root: Path) -> None:
    with serving_process(root, "--workers", "2") as (server, address):
        for number in range(1, 9):
            with client_of(address) as client:  # a connection each: any process may get it
                assert client.get("/healthz").text == "ok\n"
            assert counted(address) == number
        first = workers_of(server.pid)
        assert len(first) == 2
        os.kill(min(first), signal.SIGKILL)
        until(lambda: len(workers_of(server.pid) - first) == 1, 60, lambda: "no process was started")
        assert counted(address) == 8
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == -signal.SIGTERM
        assert not [pid for pid in first if is_running(pid)]


@pytest.mark.slow
def test_none_is_left_if_the_one_that_watches_them_is_killed(root: Path) -> None:
    with serving_process(root, "--workers", "2") as (server, _):
        workers = workers_of(server.pid)
        server.kill()
        until(lambda: not any(map(is_running, workers)), 20, lambda: f"{workers} are still running")
    assert len(workers) == 2
