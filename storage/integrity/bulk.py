"""A new database from the captures alone, in one pass: rows are inserted table by table, not entry by entry.

The fold says which rows of which file the tables end with. Until then the rows wait in Arrow files on the disk, which
the processes that read the captures write.
"""

from __future__ import annotations

import shutil
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa

from schemas.errors import StorageFault
from storage.database.writer import Database, Row
from storage.integrity.journals.contents import FileContents
from storage.integrity.journals.fold import ArticleRow, Fold, KeyedRow
from storage.integrity.journals.places import Place, by_file
from storage.integrity.journals.read import JournalReader
from storage.integrity.journals.rows import read_rows, rows_path
from storage.journal.entry_rows import ASSESSED

_APPENDED = ("finds", "requests")
_WITH_IDS = ("duplicates", "frontier", "quarantine")

_REASSESSED = ", ".join(f"CASE WHEN r.id IS NULL THEN b.{name} ELSE r.{name} END AS {name}" for name in ASSESSED)
_INSERT_TEXTS = f"""
    INSERT INTO {{table}} BY NAME
    SELECT b.* REPLACE ({_REASSESSED}, coalesce(b.publisher, r.publisher) AS publisher)
    FROM batch b LEFT JOIN reassessed r USING (id, revision)
"""


def build(db: Database, reader: JournalReader, parts: Path) -> bool:
    """Fill an empty database from all captures; `parts` is a folder for files that are needed meanwhile.

    Returns False if the journals have entries twice, or rows that a repair journaled again: then only a replay will do.
    Raises StorageFault if rows that a worker wrote to `parts` are not there.
    """
    bulk = _Bulk(db, parts)
    try:
        fold = reader.journals(bulk).fold
        if fold.restated or fold.repeated:
            return False
        bulk.finish(fold)
        return True
    finally:
        shutil.rmtree(parts, ignore_errors=True)


class _Bulk:
    """The database while it is filled. `folder`: for the rows of the files until they are inserted."""

    def __init__(self, db: Database, parts: Path) -> None:
        self._db = db
        self.folder = parts
        self._files: list[str] = []
        self._events: list[Row] = []
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)

    def file(self, contents: FileContents) -> None:
        """Insert the rows that stay in any case; keep the others."""
        self._files.append(contents.name)
        with self._db.transaction():
            for table in _APPENDED:
                path = rows_path(self.folder, contents.name, table)
                for part in read_rows(path):
                    self._db.insert(table, pa.Table.from_batches([part]))
                path.unlink(missing_ok=True)
            self._insert("events", self._events)
        self._events = []

    def events(self, rows: Sequence[Row]) -> None:
        """Keep events until the next file."""
        self._events += rows

    def finish(self, fold: Fold) -> None:
        """Insert the rows that the tables end with."""
        self._insert_small(fold)
        self._insert_texts("articles", fold.articles.values())
        self._insert_texts("superseded", fold.superseded.values())
        for table in _WITH_IDS:
            rows = getattr(fold, table).values()
            for part in self._taken(table, [row.at for row in rows if isinstance(row, KeyedRow)]):
                self._insert_part(table, part)
        self._insert_sketches(fold)
        for table in _APPENDED:
            (row,) = self._db.rows(f"SELECT count(*) AS n FROM {table}")
            if row["n"] != getattr(fold, table).number:
                raise _rows_lost(self.folder, table)

    def _insert_small(self, fold: Fold) -> None:
        with self._db.transaction():
            self._insert("events", self._events)
            self._insert("runs", list(fold.runs.values()))
            self._insert("cursors", list(fold.cursors.values()))
            self._insert("segments", list(fold.segments.values()))
            self._insert("coverage", list(chain.from_iterable(fold.coverage.values())))
            self._insert("duplicates", [row for row in fold.duplicates.values() if not isinstance(row, KeyedRow)])
            self._insert("unprocessed", [one.row() for one in fold.unprocessed.values()])
            for table in ("near_duplicates", "story_members"):
                self._insert(table, fold.stories.rows(table))

    def _insert_texts(self, table: str, rows: Iterable[ArticleRow]) -> None:
        found = list(rows)
        self._keep_reassessed(found)
        for part in self._taken("articles", [row.at for row in found]):
            with self._db.transaction():
                self._db.register_batch(part)
                self._db.execute(_INSERT_TEXTS.format(table=table))
        self._db.execute("DROP TABLE reassessed")

    def _keep_reassessed(self, rows: Sequence[ArticleRow]) -> None:
        """Make the temporary table of what reassessments changed in these rows."""
        columns = f"id, revision, publisher, {', '.join(ASSESSED)}"
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE reassessed AS SELECT {columns} FROM articles LIMIT 0")
        for part in self._taken("reassessed", [row.assessed for row in rows if row.assessed is not None]):
            self._db.register_batch(part)
            self._db.execute(f"INSERT INTO reassessed BY NAME SELECT {columns.replace('publisher, ', '')} FROM batch")
        for part in self._taken("reassessed", [row.named.at for row in rows if row.named is not None]):
            self._db.register_batch(part)
            same = "b.id = r.id AND b.revision = r.revision"
            self._db.execute(f"UPDATE reassessed r SET publisher = b.publisher FROM batch b WHERE {same}")

    def _insert_sketches(self, fold: Fold) -> None:
        """The sketches of the articles: a cache, but complete."""
        for part in self._taken("sketches", [row.at for row in fold.articles.values()]):
            self._insert_part("sketches", part)

    # -- rows

    def _taken(self, table: str, places: Iterable[Place]) -> Iterator[pa.Table]:
        """The rows at these places, in parts of the size in which they were written."""
        numbers = by_file(places)
        for file in self._files:
            if file in numbers:
                taken = 0
                for part in _taken_from(rows_path(self.folder, file, table), sorted(numbers[file])):
                    taken += len(part)
                    yield part
                if taken != len(numbers[file]):
                    raise _rows_lost(self.folder, table)

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            self._db.insert(table, self._db.table(table, rows))

    def _insert_part(self, table: str, rows: pa.Table) -> None:
        with self._db.transaction():
            self._db.insert(table, rows)


def _rows_lost(folder: Path, table: str) -> StorageFault:
    """A worker that writes elsewhere leaves no file, as one without rows does: only the number of rows says it."""
    return StorageFault(
        f"Rows of {table} that were written to {folder} are not there. The archive is unchanged. Every worker needs the"
        " archive's own directory, with room in it; then run again."
    )


def _taken_from(path: Path, numbers: Sequence[int]) -> Iterator[pa.Table]:
    """The rows with these ascending numbers in an Arrow file."""
    begin = at = 0
    for batch in read_rows(path):
        first, at = at, bisect_left(numbers, begin + len(batch))
        wanted = [number - begin for number in numbers[first:at]]
        begin += len(batch)
        if wanted:
            yield pa.Table.from_batches([batch]).take(wanted)
