"""The change feed: the changes that a journal entry makes, as events with increasing numbers.

    inserted       an article, with its first text
    edited         another text or title, by the publisher
    re-extracted   another text, by a better parser or from a richer source
    duplicate      an article with the text of another, which it refers to
    gone           deleted by the publisher; its text stays
    restored       it was gone, and is there again
    reassessed     the same text; score, reasons, teams, models or `on_topic` changed with the topic file
    removed        no longer an article of the archive: it turned out to be off topic, or a duplicate

Numbers are not consecutive: they encode the position of the change in the journals. So a consumer that kept the number
of the last event it processed can continue behind it, even after a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.find import FindResult, RevisionKind

Row = Mapping[str, Any]

_ENTRIES = 10**6
"""The most entries of a run."""
_PLACES = 10**4
"""The most events of an entry: a batch has 256 finds, each with two events at most.

A reassessment has at most half as many texts in an entry."""


def first_number(run: int, entry: int) -> int:
    """The number of the first event of an entry. Later entries and later runs have greater ones."""
    return (run * _ENTRIES + entry) * _PLACES


def batch_events(
    results: Sequence[FindResult],
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
    for result in results:
        id_ = result.ref.key.id
        if result.duplicate_of is not None and result.article is not None:
            yield {"kind": "duplicate", "id": id_, "duplicate_of": result.duplicate_of}
        elif not result.known and id_ not in removed and before.get(id_, bool(result.gone_at)) != bool(result.gone_at):
            yield {"kind": "gone" if result.gone_at else "restored", "id": id_}


def _kind(article: Row) -> str:
    if article["revision"] == 1:
        return "inserted"
    # Also if the page of a listed article could be read at last.
    return "edited" if article["revision_kind"] == RevisionKind.EDITED else "re-extracted"


def numbered(found: Sequence[Row], *, run: int, entry: int, at: datetime, run_id: str) -> list[Row]:
    """Events as rows of the table `events`."""
    first = first_number(run, entry)
    return [{**event, "seq": first + place, "changed_at": at, "run_id": run_id} for place, event in enumerate(found)]
