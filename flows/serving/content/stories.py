"""Stories: articles that are near-duplicates of each other. None, where the archive has no such tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from types import MappingProxyType

from storage.reading.shared import Row, Snapshot
from storage.stories.passages import sentences
from storage.stories.sketch import letters

MOST = 10

_STORIES = f"""
    SELECT s.story, s.title, s.articles, s.publishers, s.first_at, s.last_at, a.publisher
    FROM stories s LEFT JOIN articles a ON a.id = s.first_id
    WHERE s.last_at >= ? ORDER BY s.articles DESC, s.last_at DESC, s.story LIMIT {MOST}
"""
_STORIES_WITH = f"""
    SELECT s.story, s.title, s.articles, s.publishers, s.first_at, s.last_at, a.publisher
    FROM stories s LEFT JOIN articles a ON a.id = s.first_id
    WHERE s.story IN (SELECT story FROM story_members JOIN articles_on_topic USING (id) WHERE {{which}})
    ORDER BY s.last_at DESC, s.story LIMIT {MOST}
"""
_MEMBERS = """
    SELECT m.id, m.minutes_behind, m.share, a.title, a.publisher, a.oid, a.published_at, a.url
    FROM story_members m JOIN articles a USING (id) WHERE m.story = ? ORDER BY a.published_at NULLS LAST, m.id
"""
_ALONE = """
    SELECT id, 0 AS minutes_behind, NULL AS share, title, publisher, oid, published_at, url
    FROM articles WHERE id = ?
"""
_COPIES = """
    SELECT d.id, d.title, d.publisher, d.published_at, d.url, d.duplicate_of, a.publisher AS of_publisher
    FROM duplicates d JOIN articles a ON a.id = d.duplicate_of
    WHERE d.duplicate_of = ? OR d.duplicate_of IN (SELECT id FROM story_members WHERE story = ?)
"""
_COPIES_ALONE = _COPIES.rsplit(" OR ", 1)[0]
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})
_SHORTEST = 15
"""Letters and digits of a sentence that is compared."""


@dataclass(frozen=True, slots=True)
class Story:
    """A story: its columns in `stories`, with the publisher of the earliest article."""

    row: Row

    @property
    def name(self) -> str:
        return str(self.row["story"])

    @property
    def minutes(self) -> int:
        """From its first article to its last."""
        return _minutes(self.row["first_at"], self.row["last_at"]) or 0


@dataclass(frozen=True, slots=True)
class Member:
    """An article of a story. `sentences`: its text in pieces, each with whether an earlier article has it, too.

    An identical copy has no text of its own: its row says whose it has (`duplicate_of`, `of_publisher`).
    """

    row: Row
    sentences: Sequence[tuple[str, bool]] = ()
    is_copy: bool = False


@dataclass(frozen=True, slots=True)
class Publication:
    """A member, and how many minutes it came after the first; None if a time is unknown."""

    member: Member
    minutes: int | None


def has_stories(snapshot: Snapshot) -> bool:
    """Whether the archive knows stories."""
    return {"stories", "story_members"} <= snapshot.tables


def newest_stories(snapshot: Snapshot, since: object) -> list[Story]:
    """The largest stories that were written about since a time."""
    return [Story(row) for row in snapshot.rows(_STORIES, [since])] if has_stories(snapshot) else []


def stories_with(snapshot: Snapshot, which: str, values: Sequence[object]) -> list[Story]:
    """The newest stories with an article that `which`, a condition on articles_on_topic, is true of."""
    if not has_stories(snapshot):
        return []
    return [Story(row) for row in snapshot.rows(_STORIES_WITH.format(which=which), values)]


def story_of(snapshot: Snapshot, article_id: str) -> str | None:
    """The story of an article."""
    if not has_stories(snapshot):
        return None
    row = snapshot.row("SELECT story FROM story_members WHERE id = ?", [article_id])
    return row["story"] if row else None


def story(snapshot: Snapshot, name: str) -> tuple[Row, list[Row]] | None:
    """A story, by its id or that of any publication in it, and its articles, earliest first.

    An article without a story is one by itself. None for an unknown id. The first row is that of the view `stories`,
    whose query is slower, with the publisher of the first article.
    """
    rows = snapshot.rows(_MEMBERS, [name]) if has_stories(snapshot) else []
    other = None if rows else _other_name(snapshot, name)
    if other and other != name:
        return story(snapshot, other)
    rows = rows or snapshot.rows(_ALONE, [name])
    if not rows:
        return None
    first = next((row for row in rows if row["id"] == name), rows[0])
    times = [row["published_at"] for row in rows if row["published_at"]]
    found = {
        "story": name,
        "title": first["title"],
        "articles": len(rows),
        "publishers": len({row["publisher"] for row in rows if row["publisher"]}),
        "first_at": min(times, default=None),
        "last_at": max(times, default=None),
        "publisher": first["publisher"],
    }
    return found, rows


def _other_name(snapshot: Snapshot, article_id: str) -> str | None:
    """The story of an article, or of the one whose text a copy has; None for an article alone."""
    copy = snapshot.row("SELECT duplicate_of FROM duplicates WHERE id = ?", [article_id])
    first = copy["duplicate_of"] if copy else article_id
    return story_of(snapshot, first) or (first if copy else None)


def timeline(
    snapshot: Snapshot, name: str, rows: Sequence[Row], texts: Mapping[str, str] = _NO_TEXTS
) -> list[Publication]:
    """The articles of a story and the identical copies of them, earliest first. `texts`: those of the articles."""
    every = members(rows, texts) + [Member(row, is_copy=True) for row in copies(snapshot, name)]
    every.sort(key=lambda one: (_order(one.row["published_at"]), one.row["id"]))
    first = every[0].row["published_at"]
    return [Publication(one, _minutes(first, one.row["published_at"])) for one in every]


def copies(snapshot: Snapshot, name: str) -> list[Row]:
    """The publications that have exactly the text of an article of the story, without the texts."""
    if has_stories(snapshot):
        return snapshot.rows(_COPIES, [name, name])
    return snapshot.rows(_COPIES_ALONE, [name])


def _order(at: datetime | None) -> float:
    return at.timestamp() if at else inf


def _minutes(first: datetime | None, at: datetime | None) -> int | None:
    return int((at - first).total_seconds()) // 60 if at and first else None


def members(rows: Sequence[Row], texts: Mapping[str, str]) -> list[Member]:
    """The articles with the sentences of their texts, those marked that stand in an earlier one."""
    seen: set[str] = set()
    found = []
    for row in rows:
        pieces = [(piece, letters(piece)) for piece in sentences(texts.get(row["id"], ""))]
        found.append(Member(row, [(piece, bare in seen) for piece, bare in pieces]))
        seen |= {bare for _, bare in pieces if len(bare) >= _SHORTEST}
    return found
