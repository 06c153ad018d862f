"""The writer's DuckDB database: connection, migrations, and the only SQL that writes.

The lease in `storage.state.lease` ensures that one process at a time has it open; readers use the snapshot. Articles
are written as one Arrow table per database table: row-wise inserts are a hundred times slower. What every run writes is
appended row by row, so that a run without a new article does without Arrow. Values are parameters, never part of a
statement.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import duckdb

from schemas.errors import ArchiveDamaged, ArchiveError, ArchiveTooNew, StorageFault
from storage.state.fence import check_held

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]

COMPATIBLE_WITH = "v1.5.0"
"""The file format: DuckDB 1.5 and 2.0 can open it. DuckDB 1.5 cannot open a file in the format of 2.0."""

_MEMORY = "128MB"
"""Enough for 100,000 articles; DuckDB's default is 80 % of the machine's memory."""
_AMPLE_MEMORY = "50%"

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": COMPATIBLE_WITH,
    "memory_limit": _MEMORY,
    "threads": 2,
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


_NUMBERED = re.compile(r"\d{4}_\w+\.sql")
_COMMENTS = 0
"""The version of the comments. They are not a migration, and may be applied at any time."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered SQL file of `storage/database/migrations`, applied once to every archive, in order."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def migrations() -> Sequence[Migration]:
    """All migrations, oldest first."""
    folder = resources.files("storage.database.migrations")
    names = sorted(file.name for file in folder.iterdir() if _NUMBERED.fullmatch(file.name))
    return tuple(_migration(int(name[:4]), name) for name in names)


@cache
def comments() -> Migration:
    """The comments on tables and columns. Applied again whenever they have changed."""
    return _migration(_COMMENTS, "comments.sql")


def _migration(version: int, name: str) -> Migration:
    return Migration(version, name, resources.files("storage.database.migrations").joinpath(name).read_text("utf-8"))


@contextmanager
def storage_faults(path: Path) -> Iterator[None]:
    """Convert errors of DuckDB and the operating system to those of seogo."""
    try:
        yield
    except duckdb.Error as error:
        converted = _converted(path, error)
        if converted is None:
            raise
        raise converted from error
    except OSError as error:
        raise StorageFault(f"{error.filename or path}: {error.strerror}. Nothing committed is lost.") from error


_DAMAGE = (
    "Corrupt database file",
    "not a valid DuckDB database file",
    "Could not read enough bytes",
    "replaying WAL",
    "This WAL was created",
)
"""Parts of DuckDB's messages for a damaged file, which the class of the error does not show."""


def _converted(path: Path, error: duckdb.Error) -> ArchiveError | None:
    """The error of seogo for one of DuckDB's; None if it is due to a mistake in seogo."""
    if isinstance(error, duckdb.SerializationException) or any(sign in str(error) for sign in _DAMAGE):
        return ArchiveDamaged(f"{path} is damaged: {error}. Run: seogo repair")
    if isinstance(error, duckdb.FatalException):
        message = " ".join(str(error).split())  # it has several lines
        return StorageFault(f"{path}: DuckDB had to stop: {message}. What was committed is safe; run again.")
    if isinstance(error, duckdb.OutOfMemoryException):
        (message, *_) = str(error).splitlines()  # advice on DuckDB's settings follows
        return StorageFault(f"{path}: {message}. What was committed is safe; free memory and disk, then run again.")
    if isinstance(error, (duckdb.IOException, duckdb.TransactionException, duckdb.ConnectionException)):
        return StorageFault(f"{path}: {error}. Free space, or correct the permissions or limits, then run again.")
    return None


class Database:
    """The writer's connection. Must not be used by two threads at once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._con = connection
        self.path = path
        self.migrated = False
        """Whether opening it migrated an existing database."""
        self._schemas: dict[str, pa.Schema] = {}

    @classmethod
    def open(cls, path: Path, *, commented: bool = True) -> Self:
        """Open the database at `path`, which is created and migrated as needed. Raises StorageFault, ArchiveTooNew.

        `commented`: with comments on tables and columns. They take most of the time of creating a database.
        """
        with storage_faults(path):
            # An existing file keeps its format.
            connection = duckdb.connect(str(path), config=_SETTINGS)
            try:
                return cls._prepared(connection, path, commented=commented)
            except BaseException:
                # While it is open, opening this path again in this process would return the same broken database.
                connection.close()
                raise

    @classmethod
    def _prepared(cls, connection: duckdb.DuckDBPyConnection, path: Path, *, commented: bool) -> Self:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET TimeZone = 'Asia/Seoul'")
        # DuckDB keeps the uncompressed log in memory until the next checkpoint: a limit of 64 MB would cost 60 MB.
        connection.execute("SET wal_autocheckpoint = '16MB'")
        database = cls(connection, path)
        database._migrate(commented=commented)
        return database

    def checkpoint(self) -> None:
        """Write the log of committed transactions into the file. Raises StorageFault if there is no space for that."""
        with storage_faults(self.path):
            self._con.execute("CHECKPOINT")

    def close(self) -> None:
        """Checkpoint and close. Raises StorageFault if there is no space for a checkpoint."""
        try:
            self.checkpoint()
        finally:
            self._con.close()

    @contextmanager
    def ample_memory(self) -> Iterator[None]:
        """Half of the machine's memory during the block, which ends with a checkpoint.

        For journals that are replayed: an older version's import wrote batches that exceed the usual limit.
        """
        with storage_faults(self.path):
            self._con.execute(f"SET memory_limit = '{_AMPLE_MEMORY}'")
        yield
        self.checkpoint()  # what is not in the file yet can exceed the usual limit, too
        with storage_faults(self.path):
            self._con.execute(f"SET memory_limit = '{_MEMORY}'")

    def abandon(self) -> None:
        """Close without a checkpoint, for a file that is no longer needed. May be called twice."""
        self._con.close()

    @contextmanager
    def attached(self, path: Path, name: str) -> Iterator[None]:
        """Attach another database during the block, to be read as `name.table`."""
        quoted = str(path).replace("'", "''")
        with storage_faults(path):
            self._con.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")
            try:
                yield
            finally:
                self._con.execute(f"DETACH {name}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: committed at the end of the block, rolled back after an error. Raises LeaseLost."""
        with storage_faults(self.path):
            self._con.execute("BEGIN")
            try:
                yield
                check_held(self.path.parent)
            except BaseException:
                self._rollback()
                raise
            self.commit()

    def commit(self) -> None:
        """Commit the transaction. A separate method, so that tests can interrupt it."""
        self._con.execute("COMMIT")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The result, one dictionary per row."""
        with storage_faults(self.path):
            cursor = self._con.execute(sql, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def arrow(self, sql: str) -> pa.Table:
        """The result as columns."""
        with storage_faults(self.path):
            return cast("pa.Table", self._con.sql(sql).to_arrow_table())

    def stream(self, sql: str, parameters: Sequence[object] = (), size: int = 1000) -> Iterator[dict[str, Any]]:
        """The result row by row, with `size` rows in memory at a time. No other statement may run meanwhile."""
        with storage_faults(self.path):
            cursor = self._con.cursor().execute(sql, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            while batch := cursor.fetchmany(size):
                for row in batch:
                    yield dict(zip(names, row, strict=True))

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        self._con.execute(sql, list(parameters))

    def append(self, table: str, rows: Sequence[Row], *, replacing: bool = False) -> None:
        """Append rows with the same columns. `replacing`: a row with the same primary key is replaced.

        For hundreds of rows; thousands are written faster by `insert`.
        """
        if rows:
            columns = list(rows[0])
            with self._con.appender(table, columns=columns, action="upsert" if replacing else "insert") as appender:
                appender.append_rows([[row[name] for name in columns] for row in rows])

    def table(self, name: str, rows: Sequence[Row]) -> pa.Table:
        """Rows with the columns of the table `name`. A column that a row lacks is NULL.

        Raises pyarrow.ArrowException or UnicodeEncodeError for a value that does not fit its column.
        """
        import pyarrow as pa

        return pa.Table.from_pylist([dict(row) for row in rows], schema=self._schema(name))

    def register_batch(self, rows: pa.Table) -> None:
        """Make rows available as a table `batch`, until the next call."""
        self._con.register("batch", rows)

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows."""
        if len(rows):
            self.register_batch(rows)
            self._con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")

    def upsert(self, table: str, rows: pa.Table, *, key: str = "id") -> None:
        """Insert rows into a table with the primary key `key`; a row with the same key is replaced.

        The rows must have different keys: of two with the same key, DuckDB would silently keep the first.
        """
        if not len(rows):
            return
        self.register_batch(rows)
        updates = ", ".join(f"{name} = excluded.{name}" for name in rows.schema.names if name != key)
        self._con.execute(
            f"INSERT INTO {table} BY NAME SELECT * FROM batch ON CONFLICT ({key}) DO UPDATE SET {updates}"
        )

    def lookup(self, ids: Sequence[str], sql: str) -> list[dict[str, Any]]:
        """Run `sql`, in which `wanted` is a table with one VARCHAR column `id`."""
        import pyarrow as pa

        with storage_faults(self.path):
            self._con.register("wanted", pa.table({"id": pa.array(ids, pa.string())}))
            return self.rows(sql)

    def _schema(self, table: str) -> pa.Schema:
        if table not in self._schemas:
            empty = cast("pa.Table", self._con.sql(f"SELECT * FROM {table} LIMIT 0").to_arrow_table())
            self._schemas[table] = empty.schema
        return self._schemas[table]

    def _rollback(self) -> None:
        try:
            self._con.execute("ROLLBACK")
        except duckdb.Error:
            # After a fatal error the connection and the transaction are invalid: the first error is the one to report.
            return

    def _migrate(self, *, commented: bool) -> None:
        self._con.execute(
            "CREATE TABLE IF NOT EXISTS schema_version"
            " (version INTEGER PRIMARY KEY, name VARCHAR, sha256 VARCHAR, applied_at TIMESTAMPTZ)"
        )
        applied = {row["version"]: row for row in self.rows("SELECT * FROM schema_version")}
        known = migrations()
        if applied and max(applied) > known[-1].version:
            raise ArchiveTooNew(
                f"{self.path} has schema version {max(applied)}, but this seogo supports {known[-1].version}:"
                " update seogo."
            )
        for migration in known:
            if migration.version not in applied:
                self._apply(migration)
                self.migrated = bool(applied)
        current = comments()
        if commented and (_COMMENTS not in applied or applied[_COMMENTS]["sha256"] != current.sha256):
            self._apply(current)

    def _apply(self, migration: Migration) -> None:
        with self.transaction():
            self._con.execute(migration.sql)
            self._con.execute(
                "INSERT OR REPLACE INTO schema_version VALUES (?, ?, ?, ?)",
                [migration.version, migration.name, migration.sha256, datetime.now(UTC)],
            )
