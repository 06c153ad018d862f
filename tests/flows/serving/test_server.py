"""The thread of the server that keeps the search index up to date."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.serving import server
from storage.archive import open_archive
from storage.layout import SEARCH_INDEX
from storage.search.follower import locked
from tests.support.archives import store_new
from tests.support.servers.prefect import until


def test_an_index_that_another_process_was_updating_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_CLOSE_WITHIN", 0)
    monkeypatch.setattr(server, "_LOOKS_EVERY", 0.05)
    with open_archive(tmp_path) as archive:
        store_new(archive, 1)
    index = tmp_path / SEARCH_INDEX
    with ExitStack() as other:
        other.enter_context(locked(tmp_path, wait=0))
        with server.index_follower(tmp_path):
            time.sleep(0.3)
            assert not index.exists()
            other.close()
            until(index.exists, 20, lambda: "the index was not tried again")
