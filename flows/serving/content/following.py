"""Who follows whom: of two publishers with the same story, which had it first, and how long the other one took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.reading.shared import Row, Snapshot

MOST = 50
SIDE = 12
"""Publishers in the matrix."""

_FIRSTS = """
    WITH publications AS (
        SELECT coalesce(m.story, a.id) AS story, a.oid, a.publisher, a.published_at
        FROM articles_on_topic a LEFT JOIN story_members m USING (id)
        WHERE m.story IS NOT NULL OR a.id IN (SELECT duplicate_of FROM duplicates)
        UNION ALL
        SELECT coalesce(m.story, d.duplicate_of), nullif(regexp_extract(d.id, '^([0-9]{3})_', 1), ''), d.publisher,
            d.published_at
        FROM duplicates d JOIN articles_on_topic a ON a.id = d.duplicate_of
            LEFT JOIN story_members m ON m.id = d.duplicate_of
    ), firsts AS (
        SELECT story, oid, any_value(publisher) AS publisher, min(published_at) AS first_at FROM publications
        WHERE oid IS NOT NULL AND published_at IS NOT NULL GROUP BY story, oid
    )
"""
_PAIRS = f"""
    {_FIRSTS}
    SELECT a.oid AS leader, any_value(a.publisher) AS leader_name, b.oid AS follower,
        any_value(b.publisher) AS follower_name, count(*) AS stories,
        median(date_diff('minute', a.first_at, b.first_at)) AS minutes
    FROM firsts a JOIN firsts b USING (story) WHERE a.first_at < b.first_at
    GROUP BY a.oid, b.oid ORDER BY stories DESC, minutes, leader, follower
"""
_LEADERS = f"""
    {_FIRSTS}
    SELECT oid, count(*) AS stories FROM (
        SELECT oid FROM firsts
        QUALIFY count(*) OVER (PARTITION BY story) > 1
            AND row_number() OVER (PARTITION BY story ORDER BY first_at, oid) = 1
    ) GROUP BY oid
"""


@dataclass(frozen=True, slots=True)
class Follow:
    """In how many stories `follower` (an oid) came after `leader`, and the median of the minutes between them."""

    leader: str
    leader_name: str
    follower: str
    follower_name: str
    stories: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """The publishers (oid, name) that share most stories. Cells: row (who follows), column (whom), darkness 1 to 5."""

    names: tuple[tuple[str, str], ...]
    cells: tuple[tuple[int, int, int, Follow], ...]


def following(snapshot: Snapshot) -> Sequence[Follow]:
    """All pairs, those with most stories first. An identical copy belongs to the story of the text that it repeats."""
    if not {"story_members", "duplicates"} <= snapshot.tables:
        return ()
    return snapshot.kept("following", lambda: [_follow(row) for row in snapshot.rows(_PAIRS)])


def stories_had_first(snapshot: Snapshot) -> Mapping[str, int]:
    """Of each publisher (its oid), in how many stories that others have, too, it was the first."""
    if not {"story_members", "duplicates"} <= snapshot.tables:
        return {}
    return snapshot.kept("leaders", lambda: {row["oid"]: row["stories"] for row in snapshot.rows(_LEADERS)})


def _follow(row: Row) -> Follow:
    names = {name: row[f"{name}_name"] or row[name] for name in ("leader", "follower")}
    return Follow(**{**row, "leader_name": names["leader"], "follower_name": names["follower"]})


def leaders_of(snapshot: Snapshot, oid: str) -> Sequence[Follow]:
    """Whom a publisher follows."""
    return [one for one in following(snapshot) if one.follower == oid][:SIDE]


def followers_of(snapshot: Snapshot, oid: str) -> Sequence[Follow]:
    """Who follows a publisher."""
    return [one for one in following(snapshot) if one.leader == oid][:SIDE]


def matrix(pairs: Sequence[Follow]) -> Matrix:
    """The matrix of the publishers that are in most of the pairs' stories."""
    shared: Counter[tuple[str, str]] = Counter()
    for one in pairs:
        shared[(one.leader, one.leader_name)] += one.stories
        shared[(one.follower, one.follower_name)] += one.stories
    names = [name for name, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:SIDE]]
    places = {oid: number for number, (oid, _) in enumerate(names)}
    within = [one for one in pairs if one.leader in places and one.follower in places]
    most = max((one.stories for one in within), default=1)
    cells = [(places[one.follower], places[one.leader], -(-5 * one.stories // most), one) for one in within]
    return Matrix(tuple(names), tuple(cells))
