"""Many fetchers on a real Prefect server: the writer hands out, three workers fetch, the writer takes in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.deployed.apply import FETCHERS_POOL
from flows.deployed.processes import below
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from storage.integrity.repair import verify_archive
from tests.support.archives import rows
from tests.support.servers.prefect import FINAL, PATIENCE, Operator, operator, until

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

CRAWL, TAKE_IN, FETCH = "crawl/hand-out-every-15-minutes", "take_in/take-in-every-5-minutes", "fetch/fetch-chunk"
MACHINES = ("seoul-1", "busan-1", "daegu-1")


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """A server with everything of fetchers, and a store in a directory. The fetching workers are the tests'."""
    folder = tmp_path_factory.mktemp("fetchers")
    key = {"NAVER_CLIENT_ID": CLIENT_ID, "NAVER_CLIENT_SECRET": CLIENT_SECRET}
    with operator(folder, SEOGO_STORE=f"file://{folder}/store", **key) as hand:
        hand.engine.run("flows.deployed.apply", "--fetchers")
        hand.pause_schedules()
        yield hand


@contextmanager
def machine(hand: Operator, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that only fetches, as on a machine of its own."""
    own = {
        "SEOGO_FETCHER": name,
        "SEOGO_SPOOL": str(hand.folder / name),
        "PREFECT_HOME": str(hand.folder / f"of-{name}"),
    }
    words = [sys.executable, "-m", "flows.deployed.worker", "--pool", FETCHERS_POOL, "--name", name, "--limit", "1"]
    with (hand.folder / f"{name}.log").open("ab") as log:
        worker = subprocess.Popen(words, env={**hand.engine.environment, **own}, stdout=log, stderr=log)
    try:
        yield worker
    finally:
        for pid in (*below(worker.pid), worker.pid):
            subprocess.run(["kill", "-9", str(pid)], check=False, stderr=subprocess.DEVNULL)
        worker.wait()


@pytest.mark.long  # a server of its own; without Prefect, tests/end_to_end/test_fetchers.py does the same
def test_the_writer_hands_out_three_machines_fetch_and_the_writer_takes_in(hand: Operator, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    with ExitStack() as machines:
        for name in MACHINES:
            machines.enter_context(machine(hand, name))
        discovered = hand.done(CRAWL, archive=str(root), create=True)
        assert discovered["state"]["name"] == "Completed", discovered["state"]["message"]
        assert "handed out to fetchers" in discovered["state"]["message"]
        runs = until(lambda: _ended(hand), 2 * PATIENCE, lambda: f"{[run['state'] for run in hand.runs_of(FETCH)]}")
    assert {run["state"]["name"] for run in runs} == {"Completed"}, [run["state"]["message"] for run in runs]
    taken = hand.done(TAKE_IN, archive=str(root))
    assert taken["state"]["name"] == "Completed", taken["state"]["message"]
    handed = rows(root, "SELECT count(*) FROM finds WHERE reason = 'handed out to a fetcher'")
    brought = rows(root, "SELECT sum(addresses) FROM segments")
    assert brought == handed != [(0,)]
    assert rows(root, "SELECT count(*) FROM frontier WHERE state = 'deferred'") == [(0,)]
    assert verify_archive(root, wait=10).faults == []


def _ended(hand: Operator) -> list[dict[str, Any]] | None:
    runs = hand.runs_of(FETCH)
    return runs if runs and all(run["state_type"] in FINAL for run in runs) else None
