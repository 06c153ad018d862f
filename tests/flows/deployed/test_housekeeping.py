"""What each run does before its work, without a server."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import yaml

from flows.deployed import worker
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


def pauses(retries: int) -> list[int]:
    """The seconds between the attempts of Prefect's client, each up to a fifth more or less."""
    return [2**attempt for attempt in range(1, retries + 1)]


def test_clients_retry_through_an_outage_of_five_minutes() -> None:
    retries = tomllib.loads((ROOT / "prefect.toml").read_text("utf-8"))["client"]["max_retries"]
    assert sum(pauses(retries)) * 0.8 > 300
    definitions = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["definitions"]
    assert definitions["work_pool"]["job_variables"]["env"]["PREFECT_CLIENT_MAX_RETRIES"] == str(retries)


def test_a_worker_asks_a_server_that_is_back_within_two_minutes() -> None:
    """It gives up after twelve requests in vain: in each of four rounds, three."""
    assert max(pauses(worker.RETRIES)) * 1.2 < 120
    assert 12 * sum(pauses(worker.RETRIES)) * 0.8 > 300
