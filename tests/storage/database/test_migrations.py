"""Migrations and the comments on tables and columns. tests/storage/reading/test_tables_doc.py has the columns."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from storage.database.writer import Database, Migration


def test_migrations_are_applied_once_and_in_order(tmp_path: Path) -> None:
    for _ in range(2):
        database = Database.open(tmp_path / "a.duckdb")
        versions = [row["version"] for row in database.rows("SELECT version FROM schema_version ORDER BY applied_at")]
        database.close()
    *steps, last = versions
    assert (steps, last) == (sorted(set(steps)), 0)
    assert steps[0] == 1


def test_comments_are_applied_on_request_and_again_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*, commented: bool) -> str | None:
        database = Database.open(tmp_path / "a.duckdb", commented=commented)
        (row,) = database.rows("SELECT comment FROM duckdb_tables() WHERE table_name = 'articles'")
        database.close()
        return cast("str | None", row["comment"])

    assert said(commented=False) is None
    assert said(commented=True) == said(commented=False) == "One row per article, with its newest text."
    changed = Migration(0, "comments.sql", "COMMENT ON TABLE articles IS 'Anders.'")
    monkeypatch.setattr("storage.database.writer.comments", lambda: changed)
    assert said(commented=True) == "Anders."
