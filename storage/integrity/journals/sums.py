"""Whether a database has the rows that the journals come to: one sum a table, of digests of rows.

If the sums differ, they do not say where: then a replay into a second database is compared row by row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import chain

import pyarrow as pa

from storage.database.writer import Database, Row
from storage.integrity.journals.digests import MODULUS, NONE, Sum, hasher, sums
from storage.integrity.journals.fold import ArticleRow, Fold, KeyedRow
from storage.journal.tables import JOURNALED

_AT_ONCE = 10_000

Totals = tuple[int, ...]
"""The number of rows, and the sum of each of their digests."""


class EventSums:
    """The events of all entries, added up."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._sum = NONE

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows of `events`."""
        self._rows += rows
        if len(self._rows) >= _AT_ONCE:
            self._add_up()

    def total(self) -> Totals:
        """The total so far."""
        self._add_up()
        return self._sum

    def _add_up(self) -> None:
        self._sum = self._sum.plus(hasher().sum_of("events", self._rows))
        self._rows = []


def agree(db: Database, fold: Fold, events: EventSums) -> bool:
    """Whether the tables of a database have the rows of the journals, by their sums, and its sketches are right."""
    if db.rows("SELECT run_id FROM runs WHERE batches IS NULL LIMIT 1"):
        return False  # then there are rows of which nothing can be said here
    found = {table: sums(db, table) for table in JOURNALED}
    return found == totals(fold, events) and not wrong_sketches(db, fold)


def totals(fold: Fold, events: EventSums) -> dict[str, Totals]:
    """The sums that the tables of a database should have, if every run has a journal."""
    found: dict[str, Totals] = {
        "articles": _of_texts(fold, fold.articles.values()),
        "superseded": _of_texts(fold, fold.superseded.values()),
        "frontier": _of_places(fold, "frontier", fold.frontier.values()),
        "quarantine": _of_places(fold, "quarantine", fold.quarantine.values()),
        "duplicates": _of_places(fold, "duplicates", fold.duplicates.values()),
        "finds": fold.finds,
        "requests": fold.requests,
        "events": events.total(),
    }
    rows: dict[str, Iterable[Row]] = {
        "runs": fold.runs.values(),
        "cursors": fold.cursors.values(),
        "segments": fold.segments.values(),
        "coverage": chain.from_iterable(fold.coverage.values()),
        "near_duplicates": fold.stories.rows("near_duplicates"),
        "story_members": fold.stories.rows("story_members"),
    }
    return found | {table: hasher().sum_of(table, list(each)) for table, each in rows.items()}


_SKETCHES = """
    SELECT s.id FROM (SELECT id, revision, hash(id, revision, hashes) AS digest FROM sketches) s
    JOIN batch b USING (id, revision) WHERE s.digest <> b.digest ORDER BY s.id
"""


def wrong_sketches(db: Database, fold: Fold) -> list[str]:
    """The ids of articles whose sketch in the database is not that of their text. Missing ones are not wrong."""
    by_file: defaultdict[str, list[tuple[str, ArticleRow]]] = defaultdict(list)
    for id_, row in fold.articles.items():
        by_file[row.at.file].append((id_, row))
    if not by_file:
        return []
    db.register_batch(pa.concat_tables(_sketches(fold, file, rows) for file, rows in by_file.items()))
    return [row["id"] for row in db.rows(_SKETCHES)]


def _sketches(fold: Fold, file: str, rows: Sequence[tuple[str, ArticleRow]]) -> pa.Table:
    """Id, revision and digest of the sketches of articles in a file."""
    digests = fold.digests.at("sketches", file, [row.at.number for _, row in rows])
    revisions = pa.array([row.revision for _, row in rows], pa.int32())
    return pa.table({"id": [id_ for id_, _ in rows], "revision": revisions, "digest": digests})


def _of_texts(fold: Fold, rows: Collection[ArticleRow]) -> Totals:
    """The sums of rows of which reassessments replaced some columns."""
    total, places = fold.digests.total, [row.at for row in rows]
    assessed = total("articles", [row.at for row in rows if row.assessed is None], 1)
    assessed += total("reassessed", [row.assessed for row in rows if row.assessed is not None], 1)
    named = total("articles", [row.at for row in rows if row.named is None], 2)
    named += total("reassessed", [row.named.at for row in rows if row.named is not None], 2)
    return len(places), total("articles", places), assessed % MODULUS, named % MODULUS


def _of_places(fold: Fold, table: str, rows: Collection[KeyedRow | Row]) -> Totals:
    """The sum of rows, of which some have a place."""
    placed = [row.at for row in rows if isinstance(row, KeyedRow)]
    known = Sum(len(placed), fold.digests.total(table, placed))
    return known.plus(hasher().sum_of(table, [row for row in rows if not isinstance(row, KeyedRow)]))
