"""One open snapshot that the requests of a server share. It is replaced when the file is replaced.

DuckDB keeps one instance per path and process, so a file that replaced an open one would not be seen. Each state is
therefore attached to an in-memory instance of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from schemas.errors import ArchiveDamaged
from storage.reading.reader import check_snapshot, newest_change

Row = dict[str, Any]
Value = TypeVar("Value")

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "TimeZone": "Asia/Seoul",
    "python_enable_replacements": False,
    "allow_persistent_secrets": False,
    "memory_limit": "128MB",
    # Requests run side by side; a query of one runs in its own thread.
    "threads": 1,
    # What does not fit into memory ends with an error: readers write nothing.
    "temp_directory": "",
}


_AT_ONCE = 1_000
_MISSING: Any = object()
_MOST_KEPT = 64
"""Derived values of a snapshot; what is shown of a publisher takes about 100 kB."""


class Snapshot:
    """One state of the archive. Threads may query it at the same time."""

    def __init__(self, path: Path, stamp: tuple[int, int, int]) -> None:
        self.stamp = stamp
        self.users = 0
        self._connection = attached(path)
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._values: dict[str, Any] = {}
        self._making: dict[str, threading.Lock] = {}
        self.tables = {name for (name,) in self._connection.execute(_TABLES).fetchall()}

    @property
    def tag(self) -> str:
        """What distinguishes this state from others, as a short text."""
        return "-".join(f"{part:x}" for part in self.stamp)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one thread. An error of DuckDB's within the block is an ArchiveDamaged."""
        try:
            one = self._taken()
            try:
                yield one
            finally:
                self._idle.append(one)
        except duckdb.Error as error:
            raise ArchiveDamaged(f"archive.duckdb cannot be read: {error}. Run: seogo repair") from error

    def _taken(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._idle.pop()
        except IndexError:
            one = self._connection.cursor()
            one.execute("USE archive")
            return one

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a query as dictionaries by column. Raises ArchiveDamaged."""
        with self.cursor() as cursor:
            cursor.execute(sql, list(values))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def stream(self, sql: str, values: Sequence[object] = ()) -> Iterator[Any]:
        """The values of a query's only column, without keeping them all. Raises ArchiveDamaged."""
        with self.cursor() as cursor:
            cursor.execute(sql, list(values))
            while rows := cursor.fetchmany(_AT_ONCE):
                yield from (value for (value,) in rows)

    def table(self, sql: str, most: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
        """The names of the columns, the first rows, and whether there are more. For queries that ship with seogo."""
        with self.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchmany(most + 1)
            return [column[0] for column in cursor.description or ()], rows[:most], len(rows) > most

    def row(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """The first row."""
        return next(iter(self.rows(sql, values)), None)

    def rows_of(self, table: str, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows; none if the archive is from a version without that table."""
        return self.rows(sql, values) if table in self.tables else []

    def newest_change(self) -> int:
        """The cursor after all changes; 0 if the archive has no change feed."""
        with self.cursor() as cursor:
            return newest_change(cursor) if "events" in self.tables else 0

    def kept(self, name: str, make: Callable[[], Value]) -> Value:
        """A value that is derived from this state alone: made once, and again if it was used long ago."""
        with self._making.setdefault(name, threading.Lock()):
            value: Value = self._values.pop(name, _MISSING)
            if value is _MISSING:
                value = make()
            self._values[name] = value
        for oldest in list(self._values)[:-_MOST_KEPT]:
            self._values.pop(oldest, None)
        return value

    def close(self) -> None:
        """Close it. No one may be using it."""
        self._connection.close()


_TABLES = (
    "SELECT table_name FROM duckdb_tables() WHERE database_name = 'archive'"
    " UNION SELECT view_name FROM duckdb_views() WHERE database_name = 'archive'"
)


class SharedSnapshot:
    """The newest snapshot of an archive, opened once for all threads of this process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """The newest state; it stays the same within the block. Raises BadInput, ArchiveDamaged."""
        snapshot = self._take()
        try:
            yield snapshot
        finally:
            self._leave(snapshot)

    def close(self) -> None:
        """Close the newest state, once the last request has left it."""
        with self._lock:
            self._replace(None)

    def _take(self) -> Snapshot:
        with self._lock:
            path = check_snapshot(self.root)
            # Compared before the file is opened: if it is replaced in between, the next request opens it again.
            stamp = _stamp(path)
            if self._newest is None or self._newest.stamp != stamp:
                self._replace(Snapshot(path, stamp))
            newest = self._newest
            assert newest is not None  # noqa: S101
            newest.users += 1
            return newest

    def _leave(self, snapshot: Snapshot) -> None:
        with self._lock:
            snapshot.users -= 1
            if snapshot is not self._newest and not snapshot.users:
                snapshot.close()

    def _replace(self, snapshot: Snapshot | None) -> None:
        old, self._newest = self._newest, snapshot
        if old is not None and not old.users:
            old.close()


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise ArchiveDamaged(f"{path} cannot be read: {error.strerror}. Run: seogo repair") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def attached(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to an instance of its own, to which the file is attached read-only, and nothing else can be."""
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        name = str(path.resolve()).replace("'", "''")
        connection.execute(f"ATTACH '{name}' AS archive (READ_ONLY)")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        connection.execute("USE archive")
    except duckdb.Error as error:
        connection.close()
        message = f"{path} cannot be opened: {error}. It is a copy: `seogo repair` creates it again."
        raise ArchiveDamaged(message) from error
    return connection
