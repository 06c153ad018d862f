"""The readers' database described table by table and column by column, from the comments in its schema.

python -m storage.reading.tables_doc > docs/tables.md
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from storage.database.writer import Database

_BEGINNING = """# Tables

What `archive.duckdb` holds, table by table. Made by `python -m storage.reading.tables_doc` from
[comments.sql](../storage/database/migrations/comments.sql), which stands in the database too: `FROM duckdb_columns()`.

Times are TIMESTAMPTZ: set `TimeZone` to `Asia/Seoul` to read them as Korean time (`seogo sql` does). Texts are in
Unicode's normal form C. The archive as of an earlier time: `FROM articles_as_of(TIMESTAMPTZ '2026-01-01 00:00:00+09')`.
"""

_TABLES = (
    *("articles", "revisions", "revision_changes", "duplicates", "teams", "publishers", "daily"),
    *("finds", "runs", "requests", "coverage", "events", "archive_info"),
    *("frontier", "cursors", "quarantine", "superseded", "capture_files", "unprocessed", "schema_version"),
)
"""What people ask first, first."""

_COLUMNS = (
    "SELECT column_name AS name, data_type AS type, comment FROM duckdb_columns()"
    " WHERE NOT internal AND table_name = ? ORDER BY column_index"
)
_COMMENT = (
    "SELECT comment FROM duckdb_tables() WHERE NOT internal AND table_name = ?"
    " UNION ALL SELECT comment FROM duckdb_views() WHERE NOT internal AND view_name = ?"
)


def as_markdown(database: Database) -> str:
    """All tables and views with their columns."""
    return "\n".join([_BEGINNING, *(_section(database, table) for table in _TABLES)])


def _section(database: Database, table: str) -> str:
    (comment,) = [row["comment"] for row in database.rows(_COMMENT, [table, table])]
    lines = [f"## {table}", "", comment, "", "| column | type | what it holds |", "|---|---|---|"]
    lines += [f"| {c['name']} | {c['type']} | {c['comment']} |" for c in database.rows(_COLUMNS, [table])]
    return "\n".join([*lines, ""])


def main() -> None:
    """Print it, of an empty archive."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(Path(folder) / "empty.duckdb")
        sys.stdout.write(as_markdown(database))
        database.close()


if __name__ == "__main__":
    main()
