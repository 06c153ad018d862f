"""What has changed since near-duplicates were last found, and the pairs of that, part by part.

Each part is journaled and committed as an entry of its own. A kill in between delays the rest until the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.journal import NearDuplicate
from storage.database.writer import Database
from storage.stories.components import Member, members

_OF_TEXTS = "kind NOT IN ('gone', 'restored', 'reassessed', 'story')"
"""Changes of the text, or of what a story consists of. The others leave title, time and text as they are."""

_CHANGED = f"SELECT id, max(seq) AS seq FROM events WHERE seq > ? AND {_OF_TEXTS} GROUP BY id ORDER BY seq"
_WITHOUT_EVENTS = "SELECT id, 0 AS seq FROM articles WHERE id NOT IN (SELECT id FROM events) ORDER BY articles.rowid"
"""Articles from before there was a change feed."""
_EVERY = """
    SELECT id, coalesce((SELECT max(pairs_until) FROM runs), 0) AS seq
    FROM (SELECT id FROM articles UNION SELECT id FROM story_members
        UNION SELECT a FROM near_duplicates UNION SELECT b FROM near_duplicates)
    LEFT JOIN articles USING (id) ORDER BY articles.rowid
"""


OnProgress = Callable[[int, int], None]
"""Called with the number of articles whose pairs are found, and of those that have changed."""

_PAIRED = """
    SELECT id, published_at FROM articles
    WHERE id IN (SELECT a FROM near_duplicates UNION ALL SELECT b FROM near_duplicates)
"""


@dataclass(frozen=True, slots=True)
class Part:
    """All pairs that these articles are in, now; found for every change up to number `until`.

    Articles that are in no pair any more, or not in the archive, are among `ids`, too.
    """

    ids: tuple[str, ...]
    pairs: tuple[NearDuplicate, ...]
    until: int


def is_behind(db: Database) -> bool:
    """Whether anything has changed since pairs were last found."""
    return bool(_changed(db))


def no_progress(done: int, total: int) -> None:
    """The OnProgress that does nothing."""


def parts(db: Database, *, every: bool = False, on_progress: OnProgress = no_progress) -> Iterator[Part]:
    """What has changed since pairs were last found, in order, or with `every` each article.

    Each part is to be committed before the next is asked for.
    """
    changed = db.rows(_EVERY) if every else _changed(db)
    if not changed:
        return
    from storage.stories import pairs  # Arrow's functions take long to import, and most runs change nothing

    waiting = {row["id"] for row in changed}
    for at in range(0, len(changed), pairs.AT_ONCE):
        rows = changed[at : at + pairs.AT_ONCE]
        ids = tuple(row["id"] for row in rows)
        waiting -= set(ids)
        on_progress(at, len(changed))
        hashes = pairs.complete_sketches(db, later=waiting, remember=set(ids))
        yield Part(ids, tuple(pairs.pairs_of(db, ids, later=waiting, known=hashes)), rows[-1]["seq"])


def wrong_pairs(db: Database) -> list[tuple[str, str]]:
    """The ids of pairs in which the database differs from its texts, apart from what has changed since."""
    from storage.stories import pairs

    changed = {row["id"] for row in _changed(db)}
    pairs.complete_sketches(db)
    each = db.stream("SELECT id FROM articles ORDER BY rowid")
    ids = [row["id"] for row in each if row["id"] not in changed]
    found, waiting = set[NearDuplicate](), {*changed, *ids}
    for at in range(0, len(ids), pairs.AT_ONCE):
        some = ids[at : at + pairs.AT_ONCE]
        waiting.difference_update(some)
        found |= set(pairs.pairs_of(db, some, later=waiting))
    stored = {NearDuplicate(**row) for row in db.rows("SELECT a, b, shared, of_a, of_b FROM near_duplicates")}
    differing = {(pair.a, pair.b) for pair in found ^ stored}
    return sorted(pair for pair in differing if not changed.intersection(pair))


def wrong_members(db: Database) -> list[str]:
    """The ids of articles that are not in the story that their pairs make up, unless something has changed since."""
    if is_behind(db):
        return []
    published = {row["id"]: row["published_at"] for row in db.rows(_PAIRED)}
    pairs = [NearDuplicate(**row) for row in db.rows("SELECT a, b, shared, of_a, of_b FROM near_duplicates")]
    stored = {Member(**row) for row in db.rows("SELECT story, id, minutes_behind, share FROM story_members")}
    return sorted({member.id for member in stored ^ set(members(published, pairs))})


def _changed(db: Database) -> Sequence[dict[str, Any]]:
    (row,) = db.rows("SELECT max(pairs_until) AS until FROM runs")
    if row["until"] is None:
        return [*db.rows(_WITHOUT_EVENTS), *db.rows(_CHANGED, [0])]
    return db.rows(_CHANGED, [row["until"]])
