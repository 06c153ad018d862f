"""A real Prefect server for the tests of this package: at first empty, then with everything of seogo and a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import tags

from flows.deployed.crawl import crawl
from flows.deployed.processes import Engine
from flows.replica.server import Replica
from schemas.article import Outcome
from tests.support.servers.deployed import client_of, crawl_plainly, files_of, prepare
from tests.support.servers.prefect import Operator, Sink, empty_server

SOON = {"PREFECT_WORKER_HEARTBEAT_SECONDS": "5", "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS": "3"}
"""A worker that is gone is noticed after three of its heartbeats: by default after a minute and a half."""


@pytest.fixture(scope="package")
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="package")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Replica]]:
    """A server with nothing on it, and a replica."""
    with empty_server(tmp_path_factory.mktemp("real"), **SOON) as found:
        yield found


@pytest.fixture(scope="package")
def applied(empty: tuple[Engine, Replica]) -> Engine:
    """The server with everything of seogo. There is no worker yet, nor the block that SEOGO_NOTIFY names."""
    engine, _ = empty
    engine.environment["SEOGO_NOTIFY"] = "slack-webhook/alerts"
    engine.run("flows.deployed.apply", "--wait", "60")
    del engine.environment["SEOGO_NOTIFY"]
    return engine


@pytest.fixture(scope="package")
def hand(applied: Engine, empty: tuple[Engine, Replica], sink: Sink) -> Iterator[Operator]:
    """Everything running, with the key in Secret blocks and a notification block."""
    if applied.worker is None:
        applied.start_worker()
    hand = Operator(applied, empty[1], applied.home.parent)
    try:
        prepare(hand, sink)
        yield hand
    finally:
        hand.close()


@pytest.fixture(scope="package")
def whole(hand: Operator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an uninterrupted crawl archives, by the plain function."""
    archive = tmp_path_factory.mktemp("plain")
    assert crawl_plainly(hand.naver.url, archive).outcomes[Outcome.NEW] > 5
    return files_of(archive)


@pytest.fixture
def here(hand: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Runs a flow (`crawl`) in this process, against the same server. Returns its state."""
    for name, value in hand.engine.environment.items():
        if name.startswith(("SEOGO_", "NAVER_")):
            monkeypatch.setenv(name, value)

    def run(archive: Path, flow: Any = crawl, **parameters: Any) -> Any:
        return asyncio.run(flow(archive=str(archive), **parameters, return_state=True))

    with client_of(hand), tags("seogo"):
        yield run
