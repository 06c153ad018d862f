"""Records of an archive that an older seogo wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.runs.publish import PublishOrder, publish
from schemas.errors import BadInput
from storage.archive import Archive, open_archive
from storage.database import publisher, writer
from storage.exports.full import export
from storage.exports.records import chosen_records
from storage.reading.changes import changes
from storage.reading.reader import open_snapshot
from tests.support.archives import store_new


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    every = writer.migrations()
    with monkeypatch.context() as earlier:
        for module in (writer, publisher):
            earlier.setattr(module, "migrations", lambda: every[:-1])
        earlier.setattr(writer, "comments", lambda: writer.Migration(0, "comments.sql", "SELECT 'none yet'"))
        earlier.setattr(Archive, "_find_pairs", lambda *_, **__: None)  # there were none
        with open_archive(tmp_path) as archive:
            store_new(archive, 1, 2)
    return tmp_path


def test_what_lacks_a_table_is_refused_with_what_to_do(older: Path) -> None:
    with open_snapshot(older) as connection:
        for read in (lambda: list(changes(connection, 0)), lambda: chosen_records(connection, "WHERE a.id = ?", ["1"])):
            with pytest.raises(BadInput, match="run `seogo publish` once"):
                read()
    with pytest.raises(BadInput, match="run `seogo publish` once"):
        export(older, "jsonl")


def test_a_publication_updates_it(older: Path) -> None:
    publish(PublishOrder(older, formats=()))
    with open_snapshot(older) as connection:
        assert len(list(changes(connection, 0))) == 2
    assert export(older, "jsonl").articles == 2
