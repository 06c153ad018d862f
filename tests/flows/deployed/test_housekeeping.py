"""What each run does before its work, without a server."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

from flows.deployed.flow_runs import housekeeping
from tests.support.paths import ROOT


def test_a_process_is_identified_by_boot_number_and_start() -> None:
    mark = housekeeping.process_mark(os.getpid())
    assert not housekeeping.is_gone(mark)
    boot, pid, started = mark.split()
    assert housekeeping.is_gone(f"{boot} {pid} {int(started) + 1}")  # a later process with the same number
    assert housekeeping.is_gone(f"{boot[:-1]}- {pid} {started}")  # before the machine was restarted
    assert housekeeping.is_gone("")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        mark = housekeeping.process_mark(other.pid)
        assert not housekeeping.is_gone(mark)
        other.kill()
        other.wait()
        assert housekeeping.is_gone(mark)


def test_clients_retry_through_an_outage_of_five_minutes() -> None:
    """Prefect waits 2, 4, 8 … seconds, up to a fifth less."""
    retries = tomllib.loads((ROOT / "prefect.toml").read_text("utf-8"))["client"]["max_retries"]
    assert sum(2**attempt for attempt in range(1, retries + 1)) * 0.8 > 300
