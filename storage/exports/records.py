"""What the exports read: the readers' database through a connection of their own, and an article as its record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.article import SEOUL
from schemas.errors import BadInput
from schemas.exported import COLUMNS, SCHEMA_VERSION
from storage.reading.changes import COPY, LISTS
from storage.reading.reader import open_snapshot
from storage.reading.schema import check_schema

UNDATED = "undated"
"""The month of an article without a day, as in `articles/undated`."""

_EXPRESSIONS = {name: f"coalesce(a.{name}, []) AS {name}" for name in LISTS}
_EXPRESSIONS |= {"duplicates": "coalesce(d.copies, []) AS duplicates", "gone_at": "g.gone_at", "story": "m.story"}
_JOINED = (
    f"articles a LEFT JOIN (SELECT duplicate_of, list({COPY} ORDER BY id) AS copies FROM duplicates GROUP BY ALL) d"
    " ON d.duplicate_of = a.id"
    " LEFT JOIN (SELECT id, gone_at FROM frontier WHERE gone_at IS NOT NULL) g ON g.id = a.id"
    " LEFT JOIN story_members m ON m.id = a.id"
)
_SELECTED = f"SELECT {', '.join(_EXPRESSIONS.get(name, f'a.{name}') for name in COLUMNS)} FROM {_JOINED}"
_TIMES = ("published_at", "modified_at", "crawled_at", "gone_at")
_ISO = "replace(strftime({0} AT TIME ZONE 'UTC' + INTERVAL 9 HOUR, '%Y-%m-%dT%H:%M:%S.%f'), '.000000', '') || '+09:00'"
_AS_JSON = f"SELECT * REPLACE ({', '.join(f'{_ISO.format(name)} AS {name}' for name in _TIMES)})"
_MONTH = f"coalesce(strftime(published_at AT TIME ZONE 'Asia/Seoul', '%Y-%m'), '{UNDATED}')"

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    # The same rows give the same bytes.
    "preserve_insertion_order": True,
    # A crawl may be running: what does not fit into memory goes to a temporary directory.
    "memory_limit": "256MB",
    "threads": 2,
}


@dataclass(frozen=True, slots=True)
class Month:
    """A Korean month of publication: `2025-12`, or `undated`. The fingerprint changes with any exported field."""

    name: str
    articles: int
    fingerprint: str

    def records(self) -> tuple[str, list[datetime]]:
        """The query for the month's records, in the order that every export has them, and its parameters."""
        if self.name == UNDATED:
            return f"{_SELECTED} WHERE a.published_at IS NULL ORDER BY a.id", []
        year, month = map(int, self.name.split("-"))
        bounds = [datetime(year, month, 1, tzinfo=SEOUL), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=SEOUL)]
        # Bounds, not the month's name: DuckDB leaves out what it knows to lie outside of them without reading it.
        return f"{_SELECTED} WHERE a.published_at >= ? AND a.published_at < ? ORDER BY a.published_at, a.id", bounds


@contextmanager
def open_for_export(archive: Path, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The readers' database, through a connection that may write files; a sort too large for memory goes to `spill`.

    Raises BadInput, ArchiveDamaged.
    """
    with open_snapshot(archive) as snapshot:  # it says what is wrong with the file, if anything is
        check_schema(snapshot)
    settings = _SETTINGS | {"temp_directory": str(spill)}
    with duckdb.connect(str(archive / "archive.duckdb"), read_only=True, config=settings) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET TimeZone = 'Asia/Seoul'")
        yield connection


def months(connection: duckdb.DuckDBPyConnection) -> list[Month]:
    """The months that the archive has articles of, in order, the undated last."""
    # The body's hash stands for the body: reading all texts would cost as much as writing them.
    hashed = ", ".join(name for name in COLUMNS if name != "body")
    found = connection.execute(
        "SELECT month, count(*), bit_xor(digest), sum(digest::HUGEINT)"
        f" FROM (SELECT {_MONTH} AS month, hash({hashed}) AS digest FROM ({_SELECTED})) GROUP BY month ORDER BY month"
    ).fetchall()
    return [
        Month(name, count, f"{SCHEMA_VERSION}-{duckdb.__version__}-{count}-{mixed:x}-{total:x}")
        for name, count, mixed, total in found
    ]


def json_records(connection: duckdb.DuckDBPyConnection, month: Month) -> Iterator[str]:
    """The month's records as JSON, in order, some at a time in memory. Times are Korean time with its offset."""
    sql, bounds = month.records()  # DuckDB writes JSON in a quarter of the time that Python takes
    for (record,) in stream(connection, f"SELECT to_json(r)::VARCHAR FROM ({_AS_JSON} FROM ({sql})) r", bounds):
        yield record


def chosen_records(connection: duckdb.DuckDBPyConnection, condition: str, values: Sequence[object]) -> list[Any]:
    """The exported records of some articles (`a`) as plain values. `condition`: what follows FROM in SQL.

    Raises BadInput for the snapshot of an older seogo.
    """
    check_schema(connection)
    sql = f"SELECT to_json(r)::VARCHAR FROM ({_AS_JSON} FROM ({_SELECTED} {condition})) r"
    return [json.loads(record) for (record,) in connection.execute(sql, list(values)).fetchall()]


def chosen_table(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> pa.Table:
    """The exported records of these articles, those that exist, as a table."""
    sql = f"{_SELECTED} WHERE a.id IN (SELECT unnest(?::VARCHAR[])) ORDER BY a.published_at, a.id"
    found: pa.Table = connection.sql(sql, params=[list(ids)]).to_arrow_table()
    return found


def stream(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query as they are asked for. Nothing else may be asked meanwhile."""
    cursor = connection.execute(sql, list(parameters))
    while rows := cursor.fetchmany(1000):
        yield from rows


def snapshot_identity(archive: Path) -> list[int]:
    """What distinguishes this copy of the readers' database from the previous one. Raises BadInput where there is none.

    Ask before the database is opened: a copy that is replaced in between is then looked at once more the next time.
    """
    path = archive / "archive.duckdb"
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist: there is nothing to export. Crawl or import first.") from error
    return [found.st_ino, found.st_size, found.st_mtime_ns]
