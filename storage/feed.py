"""The change feed: what a journal entry changes of what the archive shows, as events with a growing number.

    inserted       an article, with its first text
    edited         another text or title, by the publisher
    re-extracted   another text, by a better parser or from a richer source
    duplicate      an article that bears the text of another, and points at it
    gone           deleted by the publisher; its text stays
    restored       it was gone, and is there again
    removed        no article of the archive any more: off topic, or a copy, as it turned out

Numbers do not count: they say where in the journals the change stands. Whoever kept the number of the last event that
was taken in asks for those behind it, after a rebuild as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.article import Outcome
from schemas.find import FindResult, RevisionKind

Row = Mapping[str, Any]

_ENTRIES = 10**6
"""Entries that a run's numbers have room for."""
_PLACES = 10**4
"""Events that an entry's numbers have room for: a batch has 256 finds, and each changes two things at most."""

_KINDS = {
    RevisionKind.NEW: "inserted",
    RevisionKind.IMPORTED: "inserted",
    RevisionKind.EDITED: "edited",
    RevisionKind.RE_EXTRACTED: "re-extracted",
}


def first_number(run: int, entry: int) -> int:
    """The number of the first event of an entry. Later entries and later runs have greater ones."""
    return (run * _ENTRIES + entry) * _PLACES


def changes(
    results: Sequence[FindResult],
    articles: Sequence[Row],
    adopted: Mapping[str, str],
    removed: Sequence[str],
    before: Mapping[str, str],
) -> Iterator[Row]:
    """What a batch changes, in order. `articles` are the rows it stores, `removed` the ids it takes away.

    `adopted`: texts without address that turn out to be copies, id -> the article they point at. `before`: how the
    last find of each id ended, for those that the archive shows.
    """
    yield from ({"kind": "removed", "id": id_} for id_ in removed)
    yield from ({"kind": "duplicate", "id": id_, "duplicate_of": first} for id_, first in adopted.items())
    outcomes = {result.ref.key.id: result.outcome for result in results}
    for row in articles:
        if _is_restored(before.get(row["id"]), outcomes.get(row["id"])):
            yield {"kind": "restored", "id": row["id"]}
        kind = RevisionKind(row["revision_kind"])
        first = row["revision"] == 1
        yield {"kind": "inserted" if first else _KINDS[kind], "id": row["id"], "revision": row["revision"]}
    stored = {row["id"] for row in articles}
    for result in results:
        yield from _of_find(result, before.get(result.ref.key.id), stored)


def _of_find(result: FindResult, before: str | None, stored: set[str]) -> Iterator[Row]:
    """What a find changes that stores no text."""
    id_ = result.ref.key.id
    if result.duplicate_of is not None and result.article is not None:
        yield {"kind": "duplicate", "id": id_, "duplicate_of": result.duplicate_of}
    elif result.outcome is Outcome.GONE and before not in (None, Outcome.GONE.value):
        yield {"kind": "gone", "id": id_}
    elif id_ not in stored and _is_restored(before, result.outcome):
        yield {"kind": "restored", "id": id_}


def _is_restored(before: str | None, outcome: Outcome | None) -> bool:
    return before == Outcome.GONE.value and outcome in (Outcome.UNCHANGED, Outcome.EDITED)


def numbered(found: Sequence[Row], *, run: int, entry: int, at: datetime, run_id: str) -> list[Row]:
    """Events as rows of the table `events`."""
    first = first_number(run, entry)
    return [{**event, "seq": first + place, "changed_at": at, "run_id": run_id} for place, event in enumerate(found)]
