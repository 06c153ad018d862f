"""The stories that pairs of near-duplicates make up: who was first, who came when, and what came from before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.journal import NearDuplicate

JOINED = 0.3
"""Smaller containment from which on a pair joins two articles. A round-up holds its sources, and is held by none."""

_UNDATED = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Member:
    """An article of a story, which is named by the id of its earliest article.

    `minutes_behind`: whole minutes after the earliest; None if either time is unknown. `share`: the largest share of
    its text that stands in an earlier article of the story; None if there is none.
    """

    story: str
    id: str
    minutes_behind: int | None
    share: float | None


def is_joined(pair: NearDuplicate) -> bool:
    """Whether a pair makes its two articles part of one story."""
    return min(pair.of_a, pair.of_b) >= JOINED


def members(published: Mapping[str, datetime | None], pairs: Sequence[NearDuplicate]) -> list[Member]:
    """The members of all stories of articles (id -> time of publication), each story in order of time.

    Pairs with an article that is not among them do not count. An article that is joined to no other is in no story.
    """
    among = [pair for pair in pairs if pair.a in published and pair.b in published]
    shares = _shares(published, among)
    return [
        Member(group[0], id_, _minutes(published[group[0]], published[id_]), shares.get(id_))
        for group in _groups(published, among)
        for id_ in group
    ]


def _groups(published: Mapping[str, datetime | None], pairs: Iterable[NearDuplicate]) -> list[list[str]]:
    """The ids of each story, in order of time; the stories in order of their names."""
    parents: dict[str, str] = {}
    for pair in pairs:
        if is_joined(pair):
            parents[_root(parents, pair.a)] = _root(parents, pair.b)
    groups: dict[str, list[str]] = {}
    for id_ in parents:
        groups.setdefault(_root(parents, id_), []).append(id_)
    return sorted(sorted(group, key=lambda id_: _place(published, id_)) for group in groups.values())


def _root(parents: dict[str, str], id_: str) -> str:
    while parents.setdefault(id_, id_) != id_:
        parents[id_] = id_ = parents[parents[id_]]
    return id_


def _place(published: Mapping[str, datetime | None], id_: str) -> tuple[datetime, str]:
    return published[id_] or _UNDATED, id_


def _shares(published: Mapping[str, datetime | None], pairs: Iterable[NearDuplicate]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for pair in pairs:
        a_is_later = _place(published, pair.a) > _place(published, pair.b)
        later, share = (pair.a, pair.of_a) if a_is_later else (pair.b, pair.of_b)
        shares[later] = max(share, shares.get(later, 0.0))
    return shares


def _minutes(first: datetime | None, at: datetime | None) -> int | None:
    return int((at - first).total_seconds()) // 60 if first and at else None
