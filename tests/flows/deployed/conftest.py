"""A real Prefect server with a worker, once for each module that asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import tags

from flows.deployed.crawl import crawl
from schemas.article import Outcome
from tests.support.servers.deployed import client_of, crawl_plainly, everything_running, files_of
from tests.support.servers.prefect import Operator, Sink

SOON = {"PREFECT_WORKER_HEARTBEAT_SECONDS": "5", "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS": "3"}
"""A worker that is gone is noticed after three of its heartbeats: by default after a minute and a half."""


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def hand(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Everything running, with the key in Secret blocks and a notification block."""
    with everything_running(tmp_path_factory.mktemp("real"), sink, **SOON) as hand:
        yield hand


@pytest.fixture(scope="module")
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
