"""Connections to the search index that stay open, and what they read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from schemas.errors import SearchIndexDamaged
from storage.archive import open_archive
from storage.layout import SEARCH_INDEX, SNAPSHOT
from storage.search.facets import Browser
from storage.search.follower import follow, rebuild_index
from storage.search.index import opened_to_write
from storage.search.query import EVERYTHING, parse
from storage.search.readers import Readers
from storage.search.results import SearchRequest
from tests.support.archives import new_archive, store_new
from tests.support.values import article, key


@pytest.fixture
def root(tmp_path: Path) -> Path:
    follow(new_archive(tmp_path, 1, 2))
    return tmp_path


def ids(index: sqlite3.Connection) -> set[str]:
    return {id_ for (id_,) in index.execute("SELECT id FROM doc")}


def test_a_connection_is_used_again_and_two_at_the_same_time_are_two(root: Path) -> None:
    with closing(Readers(root)) as readers:
        with readers.reading() as first, readers.reading() as second:
            assert first is not second
        with readers.reading() as again:
            assert again in (first, second)
            assert ids(again) == {key(1).id, key(2).id}


def test_a_block_reads_one_state_and_the_next_the_newest(root: Path) -> None:
    with closing(Readers(root)) as readers:
        with readers.reading() as index:
            with open_archive(root) as archive:
                store_new(archive, 3, run="20260102T040405Z-0002")
            follow(root)
            assert len(ids(index)) == 2
        with readers.reading() as index:
            assert len(ids(index)) == 3


def test_the_log_is_emptied_while_connections_stay_open(root: Path) -> None:
    with closing(Readers(root)) as readers:
        with readers.reading():
            pass
        with open_archive(root) as archive:
            store_new(archive, 3, run="20260102T040405Z-0002")
        follow(root)
        assert (root / f"{SEARCH_INDEX}-wal").stat().st_size == 0
        with readers.reading() as index:
            assert len(ids(index)) == 3


def test_an_index_that_was_built_anew_is_read(root: Path) -> None:
    with closing(Readers(root)) as readers:
        with readers.reading() as old:
            pass
        rebuild_index(root)
        with opened_to_write(root) as index, index.transaction():
            index.replace([key(1).id], [])
        with readers.reading() as new:
            assert new is not old
            assert ids(new) == {key(2).id}


def test_a_connection_with_a_fault_is_not_used_again(root: Path) -> None:
    with closing(Readers(root)) as readers:
        with pytest.raises(SearchIndexDamaged), readers.reading() as index:
            index.execute("SELECT * FROM nothing")
        with readers.reading() as again:
            assert again is not index
            assert len(ids(again)) == 2


def test_texts_are_those_of_the_same_snapshot_or_none(root: Path) -> None:
    found = (root / SNAPSHOT).stat()
    stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
    with closing(Browser(root)) as browser:
        assert browser.texts([key(1).id, "unknown"], stamp) == {key(1).id: article(1).body}
        assert browser.texts([key(1).id], (found.st_ino, found.st_size, 0)) == {}
        (root / SEARCH_INDEX).unlink()
        assert browser.texts([key(1).id], stamp) == {}


def test_counts_are_of_all_matches_and_days_are_the_newest_seven(tmp_path: Path) -> None:
    """Article n is published n minutes after the first: these, one a day."""
    numbers = range(1, 14_401, 1_440)
    follow(new_archive(tmp_path, *numbers))
    with closing(Browser(tmp_path)) as browser:
        for query in (EVERYTHING, parse("모델")):
            page = browser.page(SearchRequest(query, limit=2))
            assert (page.found.total, page.found.hidden, len(page.found.hits)) == (10, 0, 2)
            assert page.facets.publishers == (("가온신문", 10),)
            assert page.facets.statuses == (("archived", 10),)
            assert page.facets.days == tuple((f"2026-01-{day:02}", 1) for day in range(8, 1, -1))
            assert page.is_current
