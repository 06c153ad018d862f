"""`verify` compares the search index with the archive's texts, and `repair` rebuilds it."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from storage.archive import open_archive
from storage.integrity.repair import rebuild, repair, verify_archive
from storage.layout import SEARCH_INDEX
from storage.search.check import search_index_faults
from storage.search.follower import follow
from storage.search.index import Writer, opened_to_write
from tests.support.archives import store_new
from tests.support.search import a_document
from tests.support.values import key


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "archive"
    with open_archive(root) as archive:
        store_new(archive, 1, 2, 3)
    follow(root)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of an archive of three articles with its index."""
    root = Path(shutil.copytree(made, tmp_path / "archive"))
    follow(root)
    return root


def test_an_index_that_follows_is_no_fault_nor_is_one_that_is_late_or_not_there(root: Path) -> None:
    assert verify_archive(root).faults == []
    with open_archive(root) as archive:
        store_new(archive, 11, 12, run="20270102T040405Z-0002")
    assert verify_archive(root).faults == []
    (root / SEARCH_INDEX).unlink()
    assert verify_archive(root).faults == []
    assert not (root / SEARCH_INDEX).exists()


def _other_text(index: Writer) -> None:
    """A text that was altered with its tokens."""
    altered = index.document(key(1).id)
    assert altered is not None
    index.replace([altered.id], [replace(altered, text="ganz anders")])


def _other_tokens(index: Writer) -> None:
    """Words of a text in another order: as many of each, at other places."""
    execute = index.connection.execute
    ((n,),) = execute("SELECT n FROM doc WHERE id = ?", [key(1).id]).fetchall()
    ((title, body),) = execute("SELECT title, body FROM source WHERE n = ?", [n]).fetchall()
    execute("DELETE FROM ft WHERE rowid = ?", [n])
    words = body.split()
    execute("INSERT INTO ft (rowid, title, body) VALUES (?, ?, ?)", [n, title, " ".join([*words[1:], words[0]])])


def _packed_otherwise(index: Writer) -> None:
    index.connection.execute("UPDATE body SET text = ?", [zlib.compress(b"ganz anders")])


def _unpackable(index: Writer) -> None:
    index.connection.execute("UPDATE body SET text = x'00'")


def _with(what: str, table: str = "doc", which: str = "id = ?") -> Callable[[Writer], None]:
    def change(index: Writer) -> None:
        index.connection.execute(f"UPDATE {table} SET {what} WHERE {which}", [key(1).id])

    return change


_OTHER = "is not indexed as the archive has it"
_OF_KIND = "kind = (SELECT kind FROM facet JOIN doc USING (n) WHERE id = ?)"
ALTERED: dict[str, tuple[Callable[[Writer], None], str]] = {
    "a text": (_other_text, _OTHER),
    "tokens": (_other_tokens, "malformed"),
    "texts without their tokens": (_packed_otherwise, _OTHER),
    "a text that cannot be unpacked": (_unpackable, "user-defined function raised exception"),
    "a title": (_with("title = '제목'"), _OTHER),
    "a team": (_with("teams = ''", "kind", _OF_KIND), _OTHER),
    "a deletion": (_with("gone = 1 - gone", "kind", _OF_KIND), _OTHER),
    "a kind that is missing": (_with("kind = 99", "facet", "n = (SELECT n FROM doc WHERE id = ?)"), _OTHER),
    "a time": (_with("published = 0", "facet", "n = (SELECT n FROM doc WHERE id = ?)"), _OTHER),
    "a story": (_with("story = id"), "its stories are not those of the archive"),
    "an article too many": (
        lambda index: index.replace([], [a_document(99, "zu viel")]),
        "is no article of the archive",
    ),
    "an article too few": (lambda index: index.replace([key(1).id], []), _OTHER),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_altered_is_found(root: Path, what: str) -> None:
    alter, said = ALTERED[what]
    with opened_to_write(root) as index, index.transaction():
        alter(index)
    found = search_index_faults(root)
    assert all(fault.startswith("search index: ") for fault in found)
    assert any(said in fault for fault in found), found


def test_repair_rebuilds_what_was_altered(root: Path) -> None:
    with opened_to_write(root) as index, index.transaction():
        _other_text(index)
    (fault,) = verify_archive(root).faults
    assert fault == f"search index: {key(1).id} {_OTHER}; `seogo repair` rebuilds it"
    assert repair(root).mended == ["search index: rebuilt from 3 changes"]
    assert verify_archive(root).faults == []


@pytest.mark.parametrize("flips", [30, pytest.param(300, marks=pytest.mark.long)])
def test_a_flipped_byte_is_found_where_it_changes_anything(root: Path, flips: int) -> None:
    """Unused bytes of a page, and SQLite's own counters, may hold anything."""
    with open_archive(root) as archive:
        store_new(archive, 20, 50, run="20270102T040405Z-0002")
    follow(root)
    path = root / SEARCH_INDEX
    whole, answers = path.read_bytes(), _all_that_a_search_sees(path)
    rng = Random(1)
    found = 0
    for _ in range(flips):
        at = rng.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :])
        if search_index_faults(root):
            found += 1
        else:
            assert _all_that_a_search_sees(path) == answers, at
    assert found > flips // 15


def _all_that_a_search_sees(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, ft, instance)")
        queries = (
            "SELECT * FROM doc",
            "SELECT * FROM body",
            "SELECT * FROM facet LEFT JOIN kind USING (kind)",
            "SELECT * FROM terms",
        )
        return [row for query in queries for row in connection.execute(query)]
    finally:
        connection.close()


def test_a_rebuilt_archive_has_a_new_index(root: Path) -> None:
    with opened_to_write(root) as index, index.transaction():
        index.replace([key(1).id], [])
    assert any(line.startswith("search index: rebuilt from ") for line in rebuild(root).mended)
    assert verify_archive(root).faults == []
