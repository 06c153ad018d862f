"""Runs leave the search index up to date, and one that cannot be updated costs no run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.replica.server import Replica
from storage.layout import SEARCH_INDEX
from storage.reading.reader import open_snapshot
from storage.search.index import meta_of, stamp_of
from storage.search.readers import opened_to_read
from tests.support.archives import write_document
from tests.support.command import crawling, seogo, small_corpus
from tests.support.values import article


def is_up_to_date(root: Path) -> bool:
    """Also with every article in it."""
    with opened_to_read(root) as index:
        meta = meta_of(index, root / SEARCH_INDEX)
    with open_snapshot(root) as archive:
        articles = archive.execute("SELECT count(*) FROM articles").fetchone()
    return (meta.snapshot, (meta.documents,)) == (stamp_of(root), articles)


@pytest.fixture(scope="module")
def naver() -> Iterator[Replica]:
    with Replica(small_corpus(), pace=0) as running:
        yield running


def imported(root: Path, *numbers: int) -> None:
    for number in numbers:
        write_document(root.parent / "old", article(number))
    ran = seogo("import", root.parent / "old", "--archive", root)
    assert ran.code == 0, ran.err


def test_import(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    imported(root, 1, 2)
    assert is_up_to_date(root)
    imported(root, 3)
    assert is_up_to_date(root)


def test_crawl_refresh_and_reassess(tmp_path: Path, naver: Replica) -> None:
    root = tmp_path / "archive"
    for command in ("crawl", "crawl", "refresh", "reassess"):
        ran = seogo(command, env=crawling(naver, root))
        assert ran.code == 0, ran.err
        assert is_up_to_date(root)


def test_publish_builds_what_is_missing(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    imported(root, 1)
    (root / SEARCH_INDEX).unlink()
    assert seogo("publish", "--archive", root).code == 0
    assert is_up_to_date(root)


def test_an_index_that_cannot_be_written_is_a_warning_and_the_run_is_whole(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    (root / SEARCH_INDEX).mkdir(parents=True)
    write_document(tmp_path / "old", article(1))
    ran = seogo("import", tmp_path / "old", "--json", "--archive", root)
    assert ran.code == 0, ran.err
    (note,) = ran.json["notes"]
    assert note.startswith("the search index is behind the archive; the next search, or `seogo publish`, tries again: ")
    assert "search.sqlite cannot be read or written" in note
    assert seogo("verify", "--archive", root).code == 9
    ran = seogo("search", "모델", "--all", "--archive", root)
    assert (ran.code, "search.sqlite cannot be read or written" in ran.complaint) == (9, True)
    (root / SEARCH_INDEX).rmdir()
    assert seogo("search", "모델", "--all", "--json", "--archive", root).json["total"] == 1
