"""Near-duplicates that a run found -> the pairs, the stories, and the changes of the feed that these are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.journal import NearDuplicate, PairsFound
from storage.database.rows import flat
from storage.database.writer import Database
from storage.journal.events import entries_used, numbered
from storage.stories.components import Member, members

_PAIRS_OF_WANTED = (
    "SELECT a, b, shared, of_a, of_b FROM near_duplicates"
    " WHERE a IN (SELECT id FROM wanted) AND b IN (SELECT id FROM wanted)"
)


def plan_pairs(db: Database, entry: PairsFound) -> Callable[[], None]:
    """The transaction that commits the entry, to be called later."""
    pairs = db.table("near_duplicates", [flat(pair) for pair in entry.pairs])

    def commit() -> None:
        with db.transaction():
            _delete(db, "near_duplicates", entry.ids, "a IN (SELECT id FROM wanted) OR b IN (SELECT id FROM wanted)")
            db.insert("near_duplicates", pairs)
            appended = _append_events(db, entry, _renew_stories(db, entry))
            db.execute(
                "UPDATE runs SET batches = ?, pairs_until = ? WHERE run_id = ?",
                [entry.number + entries_used(appended), entry.until, entry.run_id],
            )

    return commit


def _renew_stories(db: Database, entry: PairsFound) -> dict[str, str | None]:
    """Derive the stories that the entry may change. Returns the articles that changed theirs: id -> story."""
    named = {*entry.ids, *(pair.a for pair in entry.pairs), *(pair.b for pair in entry.pairs)}
    before = _stories_of(db, sorted(named))
    after = _members_among(db, sorted({*named, *before}))
    _delete(db, "story_members", sorted(before), "id IN (SELECT id FROM wanted)")
    db.insert("story_members", db.table("story_members", [flat(member) for member in after]))
    now = {member.id: member.story for member in after}
    return {id_: now.get(id_) for id_ in sorted({*before, *now}) if before.get(id_) != now.get(id_)}


def _stories_of(db: Database, ids: Sequence[str]) -> dict[str, str]:
    """The articles of all stories in which one of these articles is: id -> story."""
    rows = db.lookup(
        ids,
        "SELECT id, story FROM story_members"
        " WHERE story IN (SELECT story FROM story_members WHERE id IN (SELECT id FROM wanted))",
    )
    return {row["id"]: row["story"] for row in rows}


def _members_among(db: Database, ids: Sequence[str]) -> list[Member]:
    """The stories of these articles, which are joined to no other."""
    published = db.lookup(ids, "SELECT a.id, a.published_at FROM wanted JOIN articles a USING (id)")
    pairs = [NearDuplicate(**row) for row in db.rows(_PAIRS_OF_WANTED)]
    return members({row["id"]: row["published_at"] for row in published}, pairs)


def _append_events(db: Database, entry: PairsFound, changed: Mapping[str, str | None]) -> int:
    """Append to the change feed which articles have joined or left a story. Returns how many."""
    found: list[dict[str, Any]] = [{"kind": "story", "id": id_, "story": story} for id_, story in changed.items()]
    # No run if the entry of its start is damaged: then a repair adds its events.
    for run in db.rows("SELECT number FROM runs WHERE run_id = ?", [entry.run_id]) if found else []:
        rows = numbered(found, run=run["number"], entry=entry.number, at=entry.found_at, run_id=entry.run_id)
        db.insert("events", db.table("events", rows))
    return len(found)


def _delete(db: Database, table: str, ids: Sequence[str], where: str) -> None:
    if ids:
        db.lookup(ids, f"DELETE FROM {table} WHERE {where}")
