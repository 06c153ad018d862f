"""Many fetchers on a real Prefect server: the writer hands out, three machines fetch, the writer takes in.

Each machine has a work pool of its own; pace and lease are in PostgreSQL. The store is OpenStack Swift where
`make object-store` has installed it, and a directory elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from flows.deployed.apply import FETCHERS_POOL
from flows.deployed.processes import below
from flows.deployed.template import pool_of
from flows.replica.faults import Behaviour
from flows.replica.log import max_rate
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.runs.fetch import FetchOrder, fetch
from flows.runs.take_in import TakeInOrder, take_in
from schemas.article import ArticleRef
from storage.inbox.chunks import read_chunk
from storage.inbox.inbox import Inbox
from storage.integrity.repair import verify_archive
from storage.objects.store import open_store
from tests.programs.torture import NNEWS, state_of
from tests.support.archives import rows
from tests.support.servers.machines import shared_database
from tests.support.servers.prefect import FINAL, PATIENCE, Operator, operator, until
from tests.support.servers.swift import BUCKET, SWIFT, client_environment, swift_server
from tests.support.topics import demo_topic

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,  # a server of its own; without Prefect, tests/end_to_end/test_fetchers.py does the same
    pytest.mark.filterwarnings("default"),
]

CRAWL, TAKE_IN, FETCH = "crawl/hand-out-every-15-minutes", "take_in/take-in-every-5-minutes", "fetch/fetch-chunk-on-"
MACHINES = ("seoul-1", "busan-1", "daegu-1")
RATE = 20
"""Requests per second of all machines together."""
LONG = 4 * PATIENCE
"""Seconds for three machines on one, each of which imports Prefect for each chunk."""

DERIVED = ("articles", "duplicates", "superseded", "events", "near_duplicates", "story_members", "files", "quarantine")
"""What follows from the pages and their order, as `state_of` names it."""


@contextmanager
def shared_store(folder: Path) -> Iterator[Mapping[str, str]]:
    """The environment of a store that the machines share."""
    if SWIFT.is_dir():
        with swift_server(folder / "swift") as port:
            yield {"SEOGO_STORE": f"s3://{BUCKET}/fetched", **client_environment(port)}
    else:
        yield {"SEOGO_STORE": f"file://{folder}/store"}


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """A server with everything of fetchers. The fetching workers are the tests'."""
    folder = tmp_path_factory.mktemp("fetchers")
    key = {"NAVER_CLIENT_ID": CLIENT_ID, "NAVER_CLIENT_SECRET": CLIENT_SECRET}
    topic = folder / "topic.yaml"
    topic.write_text(
        f"extends: {Path('topics/demo.yaml').resolve()}\nlimits: {{requests_per_second: {RATE}}}\n", "utf-8"
    )
    with shared_database() as database, shared_store(folder) as store:
        shared = {"SEOGO_PACE": database, "SEOGO_LEASE": database, "SEOGO_TOPIC": str(topic), **store, **key}
        with operator(folder, 1200, **shared) as hand:
            hand.engine.run("flows.deployed.apply", "--fetchers", *MACHINES)
            hand.pause_schedules()
            yield hand


@contextmanager
def machine(hand: Operator, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that only fetches, as on a machine of its own. It dies with all its processes at the end."""
    own = {
        "SEOGO_FETCHER": name,
        "SEOGO_SPOOL": str(hand.folder / name),
        "PREFECT_HOME": str(hand.folder / f"of-{name}"),
    }
    pool = pool_of(FETCHERS_POOL, name)
    words = [sys.executable, "-m", "flows.deployed.worker", "--pool", pool, "--name", name, "--limit", "1"]
    with (hand.folder / f"{name}.log").open("ab") as log:
        worker = subprocess.Popen(words, env={**hand.engine.environment, **own}, stdout=log, stderr=log)
    try:
        yield worker
    finally:
        for pid in (*below(worker.pid), worker.pid):
            subprocess.run(["kill", "-9", str(pid)], check=False, stderr=subprocess.DEVNULL)
        worker.wait()


def test_the_writer_hands_out_three_machines_fetch_one_dies_and_the_writer_takes_in(
    hand: Operator, tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    handed_out = hand.done(CRAWL, archive=str(root), create=True)
    assert handed_out["state"]["name"] == "Completed", handed_out["state"]["message"]
    assert "handed out to fetchers" in handed_out["state"]["message"]
    refs = _handed_out(hand)
    hand.naver.log.clear()
    with ExitStack() as machines:
        for name in MACHINES[1:]:
            machines.enter_context(machine(hand, name))
        with machine(hand, MACHINES[0]):
            until(lambda: _has_spooled(hand, MACHINES[0]), LONG, lambda: f"{hand.runs_of(FETCH + MACHINES[0])}")
        machines.enter_context(machine(hand, MACHINES[0]))  # killed in the middle of its chunk, and started again
        (run,) = until(lambda: _ended(hand, MACHINES[0]), LONG, lambda: f"{hand.runs_of(FETCH + MACHINES[0])}")
        assert run["state"]["type"] == "CRASHED", run["state"]
        hand.start(FETCH + MACHINES[0], chunk=run["parameters"]["chunk"])
        runs = until(lambda: _ended(hand, *MACHINES, least=4), LONG, lambda: f"{_runs(hand, *MACHINES)}")
    assert sorted(run["state"]["type"] for run in runs) == ["COMPLETED"] * 3 + ["CRASHED"]
    assert max_rate(hand.naver.log.entries, NNEWS, window=5) <= 1.2 * RATE
    taken = hand.done(TAKE_IN, archive=str(root))
    assert taken["state"]["name"] == "Completed", taken["state"]["message"]
    fetched_by = rows(root, "SELECT fetcher, sum(addresses)::INTEGER FROM segments GROUP BY 1 ORDER BY 1")
    assert [name for name, _ in fetched_by] == sorted(MACHINES)
    assert sum(int(str(addresses)) for _, addresses in fetched_by) == len(refs)
    assert rows(root, "SELECT count(*) FROM frontier WHERE state = 'deferred'") == [(0,)]
    assert verify_archive(root, wait=10).faults == []
    alone = _alone(hand, _in_order(root, refs), tmp_path)
    expected, found = state_of(alone), state_of(root)
    for what in DERIVED:
        assert found[what] == expected[what], f"{what} differ"


def _handed_out(hand: Operator) -> dict[str, ArticleRef]:
    """The finds in the chunks, by article."""
    with mock.patch.dict(os.environ, hand.engine.environment):
        store = open_store(hand.engine.environment["SEOGO_STORE"])
        names = [item.name.removeprefix("chunks/").removesuffix(".jsonl") for item in store.list("chunks")]
        assert len(names) == len(MACHINES)
        return {ref.key.id: ref for name in names for ref in read_chunk(store, name)}


def _in_order(root: Path, refs: Mapping[str, ArticleRef]) -> tuple[ArticleRef, ...]:
    """The finds in the order in which they were taken in."""
    sql = "SELECT f.id FROM finds f JOIN runs r USING (run_id) WHERE r.command = 'take-in' ORDER BY r.number, f.rowid"
    return tuple(refs[str(id_)] for (id_,) in rows(root, sql))


def _alone(hand: Operator, refs: tuple[ArticleRef, ...], work: Path) -> Path:
    """The archive of one fetcher, without Prefect, that fetched the same."""
    hand.naver.behaviour = Behaviour()
    inbox = Inbox(open_store(f"file://{work}/store"))
    asyncio.run(fetch(FetchOrder(demo_topic(), inbox, "alone", work / "alone", refs, hand.naver.url)))
    asyncio.run(take_in(TakeInOrder(demo_topic(), work / "of-one", inbox=inbox)))
    return work / "of-one"


def _has_spooled(hand: Operator, name: str) -> bool:
    spool = Path(hand.folder) / name / "spool"
    return any(path.stat().st_size > 50_000 for path in spool.glob("*.open"))


def _runs(hand: Operator, *names: str) -> list[dict[str, Any]]:
    return [run for name in names for run in hand.runs_of(FETCH + name)]


def _ended(hand: Operator, *names: str, least: int = 1) -> list[dict[str, Any]] | None:
    runs = _runs(hand, *names)
    return runs if len(runs) >= least and all(run["state_type"] in FINAL for run in runs) else None
