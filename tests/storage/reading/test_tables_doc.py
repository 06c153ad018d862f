"""The tables are described where people look, and the description is that of the schema."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.find import RevisionKind
from storage.archive import open_archive
from storage.database.writer import Database
from storage.reading.reader import open_snapshot, run_query
from storage.reading.tables_doc import as_markdown
from tests.support.paths import ROOT
from tests.support.values import article, ended, key, receipt, stored


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "empty.duckdb")
    yield opened
    opened.close()


def test_the_page_is_made_from_the_schema(database: Database) -> None:
    page = (ROOT / "docs" / "tables.md").read_text("utf-8")
    assert page == as_markdown(database), "run: python -m storage.reading.tables_doc > docs/tables.md"


def test_every_table_and_column_is_described(database: Database) -> None:
    bare = database.rows("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL")
    assert bare == []
    page = as_markdown(database)
    for row in database.rows("SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal"):
        assert f"\n## {row['name']}\n" in page
    for row in database.rows("SELECT view_name AS name FROM duckdb_views() WHERE NOT internal"):
        assert f"\n## {row['name']}\n" in page


def asked(root: Path, sql: str) -> list[tuple[object, ...]]:
    with open_snapshot(root) as connection:
        return list(run_query(connection, sql)[1])


def test_what_a_revision_changed_and_how_it_was_before(tmp_path: Path) -> None:
    first = article(1)
    texts = [
        first,
        article(1, title="고친 제목"),
        article(1, title="고친 제목", body=f"{first.body}\n\n정정합니다: 숫자가 틀렸습니다.", byline="홍길동 기자"),
        article(1, title="고친 제목", body=f"{first.body}\n\n정정합니다:  숫자가 틀렸습니다.", byline="홍길동 기자"),
    ]
    with open_archive(tmp_path) as archive:
        run = receipt()
        archive.start_run(run)
        for number, text in enumerate(texts, start=1):
            kind = RevisionKind.NEW if number == 1 else RevisionKind.EDITED
            result = stored(text, revision=number, revision_kind=kind)
            assert result.crawled_at is not None
            later = result.crawled_at + timedelta(hours=number)
            archive.store(run.run_id, [stored(text, revision=number, revision_kind=kind, crawled_at=later)])
        archive.finish_run(ended(run), {}, [])
    changed = asked(tmp_path, "SELECT revision, changed FROM revision_changes ORDER BY revision")
    assert changed == [(2, ["title"]), (3, ["body", "byline", "correction notice"]), (4, ["white space"])]

    (begin,) = asked(tmp_path, "SELECT min(crawled_at) FROM revisions")
    for number in (1, 2, 3, 4):
        moment = f"TIMESTAMPTZ '{begin[0]}' + INTERVAL {number - 1} HOUR"
        assert asked(tmp_path, f"SELECT revision FROM articles_as_of({moment})") == [(number,)]
    assert asked(tmp_path, f"SELECT id FROM articles_as_of(TIMESTAMPTZ '{begin[0]}' - INTERVAL 1 SECOND)") == []
    events = asked(tmp_path, "SELECT kind, id, revision FROM events ORDER BY seq")
    assert events == [
        ("inserted", key(1).id, 1),
        ("edited", key(1).id, 2),
        ("edited", key(1).id, 3),
        ("edited", key(1).id, 4),
    ]
    info = asked(tmp_path, "SELECT run_id, articles, older_revisions, newest_event FROM archive_info")
    assert info == [(run.run_id, 1, 3, asked(tmp_path, "SELECT max(seq) FROM events")[0][0])]
