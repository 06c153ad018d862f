"""The change feed: the changes that a journal entry makes, as events with increasing numbers.

    inserted       an article, with its first text
    edited         another text or title, by the publisher
    re-extracted   another text, by a better parser or from a richer source
    duplicate      an article with the text of another, which it refers to
    gone           deleted by the publisher; its text stays
    restored       it was gone, and is there again
    reassessed     the same text; score, reasons, teams, models or `on_topic` changed with the topic file
    removed        no longer an article of the archive: it turned out to be off topic, or a duplicate
    story          the article has joined a story, or left one

Numbers are not consecutive: they encode the position of the change in the journals. So a consumer that kept the number
of the last event it processed can continue behind it, even after a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from schemas.find import FindResult, RevisionKind

Row = Mapping[str, Any]

_ENTRIES = 10**6
"""The most entries of a run."""
_PLACES = 10**4
"""The most events of an entry: a batch has 256 finds, each with two events at most.

A reassessment has at most half as many texts in an entry. An entry with more events uses the numbers of the entries
that follow, which are left out."""


def first_number(run: int, entry: int) -> int:
    """The number of the first event of an entry. Later entries and later runs have greater ones."""
    return (run * _ENTRIES + entry) * _PLACES


def entries_used(events: int) -> int:
    """How many further entries' numbers an entry with so many events uses."""
    return max(events - 1, 0) // _PLACES


class FindKeys(NamedTuple):
    """What the events of a batch depend on, of a find: `copy_of` is the article that its text duplicates."""

    id: str
    known: bool
    copy_of: str | None
    gone: bool


def find_keys(result: FindResult) -> FindKeys:
    """The keys of a result."""
    copy_of = result.duplicate_of if result.article is not None else None
    return FindKeys(result.ref.key.id, result.known, copy_of, bool(result.gone_at))


def batch_events(
    finds: Sequence[FindKeys],
    articles: Sequence[Row],
    adopted: Mapping[str, str],
    removed: Sequence[str],
    before: Mapping[str, bool],
) -> Iterator[Row]:
    """The events of a batch, in order. `articles` are the rows it stores, `removed` the ids it deletes.

    `adopted`: texts without an address that turned out to be duplicates, id -> the article that they duplicate.
    `before`: the finds that were articles of the archive, id -> whether they were known to be deleted.
    """
    yield from ({"kind": "removed", "id": id_} for id_ in removed)
    yield from ({"kind": "duplicate", "id": id_, "duplicate_of": first} for id_, first in adopted.items())
    for row in articles:
        yield {"kind": _kind(row), "id": row["id"], "revision": row["revision"]}
    for find in finds:
        if find.copy_of is not None:
            yield {"kind": "duplicate", "id": find.id, "duplicate_of": find.copy_of}
        elif not find.known and find.id not in removed and before.get(find.id, find.gone) != find.gone:
            yield {"kind": "gone" if find.gone else "restored", "id": find.id}


def _kind(article: Row) -> str:
    if article["revision"] == 1:
        return "inserted"
    # Also if the page of a listed article could be read at last.
    return "edited" if article["revision_kind"] == RevisionKind.EDITED else "re-extracted"


def numbered(found: Sequence[Row], *, run: int, entry: int, at: datetime, run_id: str) -> list[Row]:
    """Events as rows of the table `events`."""
    first = first_number(run, entry)
    return [{**event, "seq": first + place, "changed_at": at, "run_id": run_id} for place, event in enumerate(found)]
