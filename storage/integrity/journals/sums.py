"""Whether a database has the rows that the journals come to: one sum a table, of digests of rows.

If the sums differ, they do not say where: then a replay into a second database is compared row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from storage.database.writer import Database, Row
from storage.integrity.journals.digests import Digests, hasher, sums
from storage.integrity.journals.fold import NONE, Fold, KeyedRow
from storage.integrity.journals.keys import Sum
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
        digests = hasher().of_rows("events", self._rows)
        self._sum = self._sum.plus(Sum(len(digests), sum(one for (one,) in digests)))
        self._rows = []


def agree(db: Database, fold: Fold, events: EventSums) -> bool:
    """Whether the tables of a database have the rows of the journals, by their sums, and its sketches are right."""
    if db.rows("SELECT run_id FROM runs WHERE batches IS NULL LIMIT 1"):
        return False  # then there are rows of which nothing can be said here
    found = {table: sums(db, table) for table in JOURNALED}
    return found == totals(fold, events) and not wrong_sketches(db, fold)


def totals(fold: Fold, events: EventSums) -> dict[str, Totals]:
    """The sums that the tables of a database should have, if every run has a journal."""
    texts = {"articles": fold.articles.values(), "superseded": fold.superseded.values()}
    found = {table: _added((row.digests for row in rows), 3) for table, rows in texts.items()}
    rows: dict[str, Iterable[Any]] = {
        "duplicates": fold.duplicates.values(),
        "frontier": fold.frontier.values(),
        "quarantine": fold.quarantine.values(),
        "runs": fold.runs.values(),
        "cursors": fold.cursors.values(),
        "segments": fold.segments.values(),
        "coverage": chain.from_iterable(fold.coverage.values()),
        "near_duplicates": fold.stories.rows("near_duplicates"),
        "story_members": fold.stories.rows("story_members"),
    }
    found |= {table: _added(_digests(table, list(each))) for table, each in rows.items()}
    return found | {"finds": fold.finds, "requests": fold.requests, "events": events.total()}


def wrong_sketches(db: Database, fold: Fold) -> list[str]:
    """The ids of articles whose sketch in the database is not that of their text. Missing ones are not wrong."""
    rows = db.stream("SELECT id, revision, hash(id, revision, hashes) AS digest FROM sketches")
    return sorted(
        row["id"]
        for row in rows
        if (found := fold.articles.get(row["id"]))
        and (found.keys.revision == row["revision"] and found.keys.sketch != row["digest"])
    )


def _digests(table: str, rows: Sequence[KeyedRow | Row]) -> list[Digests]:
    """The digests of rows, of which some have them."""
    known = [row.keys.hashed[1] for row in rows if isinstance(row, KeyedRow)]
    return known + hasher().of_rows(table, [row for row in rows if not isinstance(row, KeyedRow)])


def _added(digests: Iterable[Digests], width: int = 1) -> Totals:
    found = list(digests)
    return (len(found), *(sum(one[n] for one in found) for n in range(width)))
