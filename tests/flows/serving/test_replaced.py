"""A snapshot that is replaced under load: no request fails, and each answer is made of one whole state."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from schemas.article import Outcome
from schemas.find import RevisionKind
from storage.archive import Archive, open_archive
from storage.search.follower import follow
from tests.support.archives import store_new, store_results
from tests.support.servers.serving import client_of, serving_process
from tests.support.values import article, key, stored

CLIENTS = 4
AT_ONCE = 2
"""New articles of a run: a state has an even number of articles."""
EDITED = key(1).id
"""The article that each run edits: title and text name the run."""
MOST = 10_000
"""Rounds of requests, even if no run is ever added."""
PATHS = ("/", "/search?all=1", f"/article/{EDITED}", "/api/v1/teams", "/api/v1/search?all=1")


def add_runs(root: Path, several: threading.Event, stop: threading.Event) -> None:
    """Runs until told to stop. `several` is set after three, or when no more will come."""
    try:
        for number in range(1, 10_000):
            with open_archive(root) as archive:
                add_run(archive, number)
            follow(root)
            if number == 3:
                several.set()
            if stop.wait(0.5):
                break
    finally:
        several.set()


def add_run(archive: Archive, number: int) -> None:
    """A run with two new articles and an edit."""
    edited = stored(
        article(1, title=f"상태 {number}호", body=f"본문은 상태 {number}호의 것이다."),
        outcome=Outcome.EDITED,
        revision_kind=RevisionKind.EDITED,
        revision=number + 1,
    )
    new = [stored(article(number * AT_ONCE + more)) for more in range(1, AT_ONCE + 1)]
    run = f"20260103T{number // 3600:02}{number // 60 % 60:02}{number % 60:02}Z-0001"
    store_results(archive, edited, *new, run=run)


def ask(address: str, requests: int, several: threading.Event) -> set[int]:
    """Ask so often, and until several runs were added, then once more. Returns the numbers of articles seen."""
    seen = set[int]()
    with client_of(address) as client:
        for number in range(MOST):
            if number >= requests // len(PATHS) and several.is_set():
                break
            seen |= ask_each(client)
        return seen | ask_each(client)


def ask_each(client: httpx.Client) -> set[int]:
    """Ask for each page once. Returns the numbers of articles that were seen."""
    seen = set()
    for path in PATHS:
        found = client.get(path)
        assert found.status_code == 200, (path, found.text[:300])
        if "/search" in path and "/api" in path:
            seen.add(found.json()["total"])
        elif "/api" in path:
            seen.add(found.json()["teams"][0]["articles"])
        elif "/article" in path:
            title, text = re.findall(r'<h1>(.*?)</h1>|<div class="text">(.*?)</div>', found.text, re.DOTALL)
            assert re.findall(r"상태 \d+호", title[0]) == re.findall(r"상태 \d+호", text[1])
    return seen


@pytest.mark.parametrize("requests", [400, pytest.param(10_000, marks=pytest.mark.long)])
def test_no_request_fails_and_no_state_is_mixed(tmp_path: Path, requests: int) -> None:
    with open_archive(tmp_path) as archive:
        store_new(archive, 1, 2)
    follow(tmp_path)
    several, stop = threading.Event(), threading.Event()
    with serving_process(tmp_path, "--workers", "2") as (_, address), ThreadPoolExecutor(CLIENTS + 1) as threads:
        writer = threads.submit(add_runs, tmp_path, several, stop)
        asked = partial(ask, address, requests // CLIENTS, several)
        try:
            seen = set[int]().union(*(asking.result() for asking in [threads.submit(asked) for _ in range(CLIENTS)]))
        finally:
            stop.set()
        writer.result()
    assert len(seen) >= 2
    assert not [number for number in seen if number % AT_ONCE]
