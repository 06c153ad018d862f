"""The change feed: what a journal entry changes of what the archive shows, as events with a growing number.

    inserted       an article, with its first text
    edited         another text or title, by the publisher
    re-extracted   another text, by a better parser or from a richer source
    duplicate      an article with the text of another, which it refers to
    gone           deleted by the publisher; its text stays
    restored       it was gone, and is there again
    reassessed     the same text; score, reasons, teams, models or `on_topic` changed with the topic file
    removed        no article of the archive any more: off topic, or a copy, as it turned out

Numbers do not count: they say where in the journals the change stands. Whoever kept the number of the last event that
was taken in asks for those behind it, after a rebuild as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.find import FindResult, RevisionKind

Row = Mapping[str, Any]

_ENTRIES = 10**6
"""Entries that a run's numbers have room for."""
_PLACES = 10**4
"""Events that an entry's numbers have room for: a batch has 256 finds, and each changes two things at most.

A reassessment has half as many texts in an entry."""


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
    """What a batch changes, in order. `articles` are the rows it stores, `removed` the ids it takes away.

    `adopted`: texts without address that turn out to be copies, id -> the article they point at. `before`: of the
    finds' ids, those that the archive showed as articles, and whether they were known to be deleted.
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
    # Also where a listed article was read at last: the archive's own text got better.
    return "edited" if article["revision_kind"] == RevisionKind.EDITED else "re-extracted"


def numbered(found: Sequence[Row], *, run: int, entry: int, at: datetime, run_id: str) -> list[Row]:
    """Events as rows of the table `events`."""
    first = first_number(run, entry)
    return [{**event, "seq": first + place, "changed_at": at, "run_id": run_id} for place, event in enumerate(found)]
