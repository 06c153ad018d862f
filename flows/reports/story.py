"""A story: who was first, who came when, and what each text has from an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.reports.history import Hunk, word_diff
from schemas.errors import BadInput
from storage.reading.reader import open_snapshot
from storage.stories.passages import Passage, passages

_LONGEST_DIFF = 2_000
"""Characters of the longest sentence that is compared word by word."""

_STORY = """
    SELECT coalesce(
        (SELECT story FROM story_members WHERE id = coalesce(d.duplicate_of, w.id)), d.duplicate_of, w.id
    ) FROM (SELECT $id AS id) w LEFT JOIN duplicates d USING (id)
"""
_MEMBERS = """
    WITH texts AS (SELECT id FROM story_members WHERE story = $id UNION SELECT $id)
    SELECT a.id, a.title, a.publisher, a.published_at, a.url, NULL AS copy_of FROM articles a SEMI JOIN texts USING (id)
    UNION ALL
    SELECT d.id, d.title, d.publisher, d.published_at, d.url, d.duplicate_of
    FROM duplicates d JOIN texts ON texts.id = d.duplicate_of
    ORDER BY published_at NULLS LAST, id
"""
_PAIRS = """
    WITH texts AS (SELECT id FROM story_members WHERE story = $id)
    SELECT a, b, of_a, of_b FROM near_duplicates WHERE a IN (FROM texts) AND b IN (FROM texts)
"""
_TEXT = "SELECT id, title, publisher, published_at, body FROM articles WHERE id = $id"
_FOUND = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'story_members'"


@dataclass(frozen=True, slots=True)
class Publication:
    """An article of a story. `minutes_behind`: after the first one; None if a time is unknown.

    `source`: the earlier article with the largest share of its text; None if there is none, as for the first. `share`:
    how much of its own text (0 to 1) stands in that one, `kept`: how much of that one stands in it. `identical`: both
    texts are the same, letter for letter.
    """

    id: str
    title: str | None
    publisher: str | None
    published_at: datetime | None
    url: str | None
    minutes_behind: int | None
    source: str | None = None
    share: float | None = None
    kept: float | None = None
    identical: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """The articles of a story, the earliest first, with all copies of the very same texts."""

    story: str
    publications: tuple[Publication, ...]

    def publication(self, id_: str) -> Publication:
        """The article of that id."""
        return next(one for one in self.publications if one.id == id_)


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage of a text; `hunks`: for a changed one, what differs from the other text, word by word."""

    kind: str
    text: str
    hunks: tuple[Hunk, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A text, sentence by sentence, against the other text of its story that it has most in common with."""

    publication: Publication
    other: Publication
    passages: tuple[Shown, ...]


def read_story(archive: Path, article_id: str) -> Story | None:
    """The story of an article, or the article alone if it is in none; None if the archive has no text of it.

    Raises BadInput if the archive was written before there were stories.
    """
    with open_snapshot(archive) as connection:
        return _story(connection, article_id)


def compare_in_story(archive: Path, article_id: str) -> Comparison | None:
    """An article against its source, or the first against its closest copy; None if the archive has no text of it.

    Raises BadInput if there is no other text to compare it with.
    """
    with open_snapshot(archive) as connection:
        story = _story(connection, article_id)
        if story is None:
            return None
        own = story.publication(article_id)
        other = _other(story, own)
        texts = [_row(connection, _text_id(one)) for one in (own, other)]
    found = passages(texts[0]["body"] or "", texts[1]["body"] or "")
    return Comparison(own, other, tuple(map(_shown, found)))


def _text_id(one: Publication) -> str:
    return one.source if one.identical and one.source else one.id


def _other(story: Story, own: Publication) -> Publication:
    if own.source:
        return story.publication(own.source)
    copies = [one for one in story.publications if one.source == own.id]
    if not copies:
        raise BadInput(f"{own.id} has no near-copy to compare it with: no other text is nearly the same.")
    return max(copies, key=lambda one: (one.kept or 0.0, one.id))


def _shown(passage: Passage) -> Shown:
    before, after = (passage.other or "").strip(), passage.text.strip()
    short = before and max(len(before), len(after)) <= _LONGEST_DIFF
    return Shown(passage.kind, passage.text, tuple(word_diff(before, after)) if short else ())


# -- reading


def _story(connection: Any, article_id: str) -> Story | None:
    if connection.execute(_FOUND).fetchone() == (0,):
        raise BadInput("the archive is from before there were stories: the next run finds them.")
    (name,) = connection.execute(_STORY, {"id": article_id}).fetchone()
    rows = _rows(connection, _MEMBERS, name)
    if not rows:
        return None
    first = rows[0]["published_at"]
    sources = _sources([row["id"] for row in rows], _rows(connection, _PAIRS, name))
    return Story(name, tuple(_publication(row, first, sources) for row in rows))


def _publication(row: dict[str, Any], first: datetime | None, sources: dict[str, tuple[Any, ...]]) -> Publication:
    copy_of, at = row.pop("copy_of"), row["published_at"]
    minutes = int((at - first).total_seconds()) // 60 if at and first else None
    if copy_of:
        return Publication(**row, minutes_behind=minutes, source=copy_of, share=1.0, kept=1.0, identical=True)
    source, share, kept = sources.get(row["id"], (None, None, None))
    return Publication(**row, minutes_behind=minutes, source=source, share=share, kept=kept)


def _sources(order: Sequence[str], pairs: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Of each article: the earlier one with the largest share of its text, this share, and the share of that one."""
    places = {id_: place for place, id_ in enumerate(order)}
    found: dict[str, tuple[Any, ...]] = {}
    for pair in pairs:
        ends = [(pair["a"], pair["of_a"]), (pair["b"], pair["of_b"])]
        (source, kept), (later, share) = sorted(ends, key=lambda end: places[end[0]])
        best = found.get(later)
        if best is None or (share, -places[source]) > (best[1], -places[best[0]]):
            found[later] = (source, share, kept)
    return found


def _rows(connection: Any, sql: str, id_: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, {"id": id_})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _row(connection: Any, id_: str) -> dict[str, Any]:
    (row,) = _rows(connection, _TEXT, id_)
    return row
