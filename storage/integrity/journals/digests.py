"""Digests of rows, as DuckDB hashes them: of rows in memory here, and of the rows of a database there.

Digests of many rows are added up, modulo 2**64: two tables whose sums are equal have the same rows, whatever their
order, but for a chance of 1 in 2**64. The sum of a table does not say which rows differ.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from storage.database.writer import Database, Row
from storage.journal.entry_rows import ASSESSED

Digests = pa.Table
"""The digests of rows, one column; for articles three: of what a reassessment keeps, replaces and completes."""

MODULUS = 1 << 64
_OF_TEXTS = ("articles", "superseded")
_KEY = ("id", "revision")


class Sum(NamedTuple):
    """The number of some rows, and the sum of their digests, modulo 2**64."""

    number: int
    total: int

    def plus(self, more: Sum) -> Sum:
        """Both together."""
        return Sum(self.number + more.number, (self.total + more.total) % MODULUS)


NONE = Sum(0, 0)


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

    def digests(self, name: str, rows: pa.Table) -> Digests:
        """The digests of these rows of the table `name`, in order."""
        self._db.register_batch(rows)
        return self._db.arrow(f"SELECT {_selected(name, self.columns(name))} FROM batch")

    def of_columns(self, name: str, rows: Sequence[Row], columns: Sequence[str]) -> list[int]:
        """The digest of these columns of each row, as `Queries.captured_texts` has it."""
        if not rows:
            return []
        self._db.register_batch(self.table(name, rows))
        return [row["digest"] for row in self._db.rows(f"SELECT hash({', '.join(columns)}) AS digest FROM batch")]

    def sum_of(self, name: str, rows: Sequence[Row]) -> Sum:
        """The sum of the digests of these rows of the table `name`, which has one digest a row."""
        return sum_of(self.digests(name, self.table(name, rows))) if rows else NONE


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


def sum_of(digests: Digests) -> Sum:
    """The sum of digests that have one column."""
    return Sum(len(digests), total_of(digests.column(0)))


def total_of(column: pa.ChunkedArray[pa.UInt64Scalar]) -> int:
    """The sum of a column, modulo 2**64: Arrow does not check for overflow."""
    return pc.sum(column).as_py() or 0


def sums(db: Database, table: str) -> tuple[int, ...]:
    """The number of rows of a table, and the sums of their digests."""
    each = enumerate(expressions(table, columns_of(db, table)))
    totals = ", ".join(f"coalesce(sum({one}::HUGEINT) % {MODULUS}, 0) AS d{n}" for n, one in each)
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
