"""Digests of rows, as DuckDB hashes them: of rows in memory here, and of the rows of a database there.

Digests of many rows are added up: two tables whose sums are equal have the same rows, whatever their order, but for a
chance of 1 in 2**64. The sum of a table does not say which rows differ.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from storage.database.writer import Database, Row
from storage.journal.entry_rows import ASSESSED

Digests = tuple[int, ...]
"""The digests of a row: one, or for articles three, of the parts that a reassessment keeps, replaces, and completes."""

_OF_TEXTS = ("articles", "superseded")
_KEY = ("id", "revision")


class Hasher:
    """The tables of an empty database in memory, and the digests of rows of theirs. For one thread."""

    def __init__(self) -> None:
        self._db = Database.open(Path(":memory:"), commented=False)
        self._db.execute("SET threads = 1")
        self._db.execute("SET preserve_insertion_order = true")
        self.columns = partial(columns_of, self._db)

    def table(self, name: str, rows: Sequence[Row]) -> pa.Table:
        """Rows with the columns of the table `name`."""
        return self._db.table(name, rows)

    def digests(self, name: str, rows: pa.Table) -> list[Digests]:
        """The digests of each of these rows of the table `name`, in order."""
        if not len(rows):
            return []
        self._db.register_batch(rows)
        found = self._db.rows(f"SELECT {_selected(name, self.columns(name))} FROM batch")
        return [tuple(row.values()) for row in found]

    def of_columns(self, name: str, rows: Sequence[Row], columns: Sequence[str]) -> list[int]:
        """The digest of these columns of each row, as `Queries.captured_texts` has it."""
        if not rows:
            return []
        self._db.register_batch(self.table(name, rows))
        return [row["digest"] for row in self._db.rows(f"SELECT hash({', '.join(columns)}) AS digest FROM batch")]

    def of_rows(self, name: str, rows: Sequence[Row]) -> list[Digests]:
        """The same for rows as dictionaries."""
        return self.digests(name, self.table(name, rows))


def columns_of(db: Database, table: str) -> list[str]:
    """The names of a table's columns."""
    return [str(name) for name in db.table(table, []).schema.names]


def expressions(table: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The digests of a row of a table, as SQL."""
    if table not in _OF_TEXTS:
        return (f"hash({', '.join(columns)})",)
    kept = [name for name in columns if name not in (*ASSESSED, "publisher")]
    parts = (kept, [*_KEY, *ASSESSED], [*_KEY, "publisher"])
    return tuple(f"hash({', '.join(part)})" for part in parts)


def sums(db: Database, table: str) -> tuple[int, ...]:
    """The number of rows of a table, and the sums of their digests."""
    each = enumerate(expressions(table, columns_of(db, table)))
    totals = ", ".join(f"coalesce(sum({one}::HUGEINT), 0) AS d{n}" for n, one in each)
    (row,) = db.rows(f"SELECT count(*) AS n, {totals} FROM {table}")
    return tuple(map(int, row.values()))


_THREADS = threading.local()


def hasher() -> Hasher:
    """The hasher of this thread: it takes a tenth of a second to make one."""
    if not hasattr(_THREADS, "hasher"):
        _THREADS.hasher = Hasher()
    found: Hasher = _THREADS.hasher
    return found


def _selected(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{one} AS d{n}" for n, one in enumerate(expressions(table, columns)))
