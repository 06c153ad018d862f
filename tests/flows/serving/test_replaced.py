"""A snapshot that is replaced under load: no request fails, and each answer is made of one whole state."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.archive import open_archive
from storage.search.follower import follow
from tests.support.archives import store_new
from tests.support.servers.serving import client_of, serving

CLIENTS = 4
AT_ONCE = 2
"""Articles of a run: a state has an even number of articles."""


def add_runs(root: Path, stop: threading.Event) -> int:
    """Runs until told to stop, each with two articles; returns how many."""
    number = 1
    while not stop.is_set():
        with open_archive(root) as archive:
            first = number * AT_ONCE + 1
            store_new(
                archive,
                first,
                first + 1,
                run=f"20260103T{number // 3600:02}{number // 60 % 60:02}{number % 60:02}Z-0001",
            )
        follow(root)
        number += 1
        stop.wait(0.3)
    return number - 1


def ask(address: str, requests: int) -> set[int]:
    """Ask again and again; returns the numbers of articles that were seen."""
    seen = set()
    with client_of(address) as client:
        for _ in range(requests // 4):
            for path in ("/", "/search?all=1", "/api/v1/articles?limit=200&all=1", "/api/v1/search?all=1"):
                found = client.get(path)
                assert found.status_code == 200, (path, found.text[:300])
                if "/api" in path:
                    body = found.json()
                    seen.add(body["total"] if "total" in body else min(len(body["articles"]), 200))
    return seen


@pytest.mark.parametrize("requests", [400, pytest.param(10_000, marks=pytest.mark.long)])
def test_no_request_fails_and_no_state_is_mixed(tmp_path: Path, requests: int) -> None:
    with open_archive(tmp_path) as archive:
        store_new(archive, 1, 2)
    follow(tmp_path)
    stop = threading.Event()
    with serving(tmp_path) as address, ThreadPoolExecutor(CLIENTS + 1) as threads:
        writer = threads.submit(add_runs, tmp_path, stop)
        try:
            seen = set[int]().union(*threads.map(ask, [address] * CLIENTS, [requests // CLIENTS] * CLIENTS))
        finally:
            stop.set()
        runs = writer.result()
    assert runs >= 2
    assert len(seen) >= 2
    assert not [number for number in seen if number % AT_ONCE]
