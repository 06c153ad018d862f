"""Near-duplicates and stories in memory, as `storage.journal.stories` has them in a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from schemas.journal import NearDuplicate, PairsFound
from storage.database.rows import Row
from storage.stories.components import Member, members

Pair = tuple[str, str]


class Stories:
    """The pairs by their ids, and the members of stories by theirs."""

    def __init__(self) -> None:
        self.pairs: dict[Pair, NearDuplicate] = {}
        self.members: dict[str, Member] = {}
        self._pairs_of: defaultdict[str, set[Pair]] = defaultdict(set)
        self._members_of: defaultdict[str, set[str]] = defaultdict(set)

    def rows(self, table: str) -> list[Row]:
        """The rows of `near_duplicates` or `story_members`."""
        found: Mapping[Any, NearDuplicate | Member] = self.pairs if table == "near_duplicates" else self.members
        return [asdict(one) for one in found.values()]

    def touched(self, entry: PairsFound) -> set[str]:
        """The articles whose stories an entry may change."""
        named = {*entry.ids, *(pair.a for pair in entry.pairs), *(pair.b for pair in entry.pairs)}
        return named | set(self._stories_of(named))

    def renew(self, entry: PairsFound, published: Mapping[str, datetime | None]) -> dict[str, str | None]:
        """Replace the pairs and stories. Returns the articles that changed theirs: id -> story.

        `published`: the times of those articles that `touched` names and that are in the archive.
        """
        touched = self.touched(entry)
        for id_ in entry.ids:
            for pair in list(self._pairs_of.get(id_, ())):
                self._remove_pair(pair)
        for found in entry.pairs:
            self._put_pair(found)
        before = self._stories_of(touched)
        among = {pair for id_ in touched for pair in self._pairs_of.get(id_, ()) if touched.issuperset(pair)}
        for id_ in before:
            self._remove_member(id_)
        now: dict[str, str | None] = {}
        for member in members(published, [self.pairs[pair] for pair in sorted(among)]):
            self._put_member(member)
            now[member.id] = member.story
        return {id_: now.get(id_) for id_ in sorted({*before, *now}) if before.get(id_) != now.get(id_)}

    def remove(self, table: str, key: tuple[Any, ...]) -> None:
        """Remove the row of a table with this key, if there is one."""
        if table == "near_duplicates":
            self._remove_pair((key[0], key[1]))
        else:
            self._remove_member(key[0])

    def insert(self, table: str, row: Row) -> None:
        """Insert a row of a table."""
        if table == "near_duplicates":
            self._put_pair(NearDuplicate(**row))
        else:
            self._put_member(Member(**row))

    def _stories_of(self, ids: set[str]) -> dict[str, str]:
        stories = {self.members[id_].story for id_ in ids if id_ in self.members}
        return {id_: story for story in stories for id_ in self._members_of[story]}

    def _put_pair(self, found: NearDuplicate) -> None:
        pair = (found.a, found.b)
        self.pairs[pair] = found
        for id_ in pair:
            self._pairs_of[id_].add(pair)

    def _remove_pair(self, pair: Pair) -> None:
        if self.pairs.pop(pair, None) is not None:
            for id_ in pair:
                self._pairs_of[id_].discard(pair)

    def _put_member(self, member: Member) -> None:
        self.members[member.id] = member
        self._members_of[member.story].add(member.id)

    def _remove_member(self, id_: str) -> None:
        old = self.members.pop(id_, None)
        if old is not None:
            self._members_of[old.story].discard(id_)
