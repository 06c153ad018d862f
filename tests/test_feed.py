"""The change feed: whoever follows it has what the archive has, whatever crashes and whatever is rebuilt."""

from __future__ import annotations

from pathlib import Path

import pytest
from feed_histories import replayed

from schemas.errors import BadInput
from storage.changes import changes, newest
from storage.reader import open_snapshot
from storage.repair import rebuild


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_replayed_is_what_the_tables_hold(tmp_path: Path, seed: int) -> None:
    assert replayed(tmp_path, histories=60, seed=seed) > 200


def test_cursors_survive_a_rebuild(tmp_path: Path) -> None:
    replayed(tmp_path, histories=20, seed=4)
    with open_snapshot(tmp_path) as connection:
        before = list(changes(connection, 0))
    rebuild(tmp_path)
    with open_snapshot(tmp_path) as connection:
        assert list(changes(connection, 0)) == before
        middle = before[len(before) // 2]["seq"]
        assert list(changes(connection, middle)) == [change for change in before if change["seq"] > middle]
        assert list(changes(connection, newest(connection))) == []


def test_a_cursor_of_another_archive_is_refused(tmp_path: Path) -> None:
    replayed(tmp_path, histories=2, seed=5)
    with open_snapshot(tmp_path) as connection, pytest.raises(BadInput, match="is ahead of this archive"):
        list(changes(connection, newest(connection) + 1))
