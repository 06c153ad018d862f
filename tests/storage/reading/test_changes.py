"""The change feed in numbers, as the event of a run has them."""

from __future__ import annotations

from pathlib import Path

from schemas.article import Outcome
from schemas.find import Relevance
from storage.archive import open_archive
from storage.reading.changes import first_run, summary
from storage.reading.reader import newest_change, open_snapshot
from tests.support.archives import store_new, store_results
from tests.support.values import article, key, stored

FIRST, SECOND = "20260102T030405Z-0001", "20260102T040405Z-0002"


def test_what_changed_behind_a_cursor(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store_new(archive, 1, 2, run=FIRST)
    with open_snapshot(tmp_path) as connection:
        since = newest_change(connection)
        assert first_run(connection) == FIRST
        assert summary(connection, 0) == {"counts": {"inserted": 2}, "teams": {"가온": 2}, "runs": [FIRST]}

    named = Relevance(9.0, teams=("가온연구소",), on_topic=True)
    copy = stored(
        article(4), outcome=Outcome.DUPLICATE, revision_kind=None, duplicate_of=key(1).id, matched_by="text_hash"
    )
    with open_archive(tmp_path) as archive:
        store_results(archive, stored(article(3), relevance=named), copy, run=SECOND)
    with open_snapshot(tmp_path) as connection:
        found = summary(connection, since)
        assert found == {"counts": {"duplicate": 1, "inserted": 1}, "teams": {"가온연구소": 1}, "runs": [SECOND]}
        assert first_run(connection) == FIRST
        assert summary(connection, newest_change(connection)) == {"counts": {}, "teams": {}, "runs": []}


def test_an_archive_without_a_run_has_no_id(tmp_path: Path) -> None:
    with open_archive(tmp_path):
        pass
    with open_snapshot(tmp_path) as connection:
        assert (first_run(connection), newest_change(connection)) == (None, 0)
