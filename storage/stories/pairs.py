"""The near-duplicates of texts: candidates by one join over all sketches, then the exact overlap of each candidate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from sys import intern
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import StorageFault
from schemas.journal import NearDuplicate
from storage.database.writer import Database
from storage.stories.hashing import shingle_hashes
from storage.stories.sketch import FEWEST_COMMON, ONE_IN_COMMON, compared_text, overlaps, sketches

AT_ONCE = 5_000
"""Articles whose pairs are looked for at a time. More take more memory. Fewer take longer, since the texts of the other
articles are read and hashed again for each part."""

_JOINED_AT_ONCE = 2_500
"""Articles in one join: its result is as large as their texts are alike."""

_HASHED_AT_ONCE = 1_000
_REMEMBERED = 6_000_000
"""Hashes of new texts that are kept until they are compared, of 8 bytes each; the others are computed once more."""

_COMPARED_AT_ONCE = 100

_CANDIDATES = f"""
    WITH mine AS (
        SELECT rowid AS n, len(hashes) AS size, unnest(hashes) AS hash
        FROM sketches WHERE id IN (SELECT id FROM wanted)
    ), every AS (
        SELECT rowid AS n, len(hashes) AS size, unnest(hashes) AS hash FROM sketches
    ), close AS (
        SELECT m.n AS n, e.n AS other FROM mine m JOIN every e USING (hash) WHERE m.n <> e.n GROUP BY m.n, e.n
        HAVING count(*) >= {FEWEST_COMMON}
            AND count(*) * {ONE_IN_COMMON} >= least(any_value(m.size), any_value(e.size))
    )
    SELECT least(m.id, e.id) AS a, greatest(m.id, e.id) AS b, e.id AS other
    FROM close c JOIN sketches m ON m.rowid = c.n JOIN sketches e ON e.rowid = c.other
"""
# Numbers of rows instead of ids: half the memory, three quarters of the time.


Hashes = Mapping[str, pa.UInt64Array]
"""The different hashes of the texts of articles, by their ids."""


def pairs_of(
    db: Database, ids: Sequence[str], *, later: Container[str] = (), known: Hashes = MappingProxyType({})
) -> list[NearDuplicate]:
    """All pairs that have one of these articles in them, in the order of their ids.

    Every article has its sketch. Pairs with an article of `later` are left out: its turn will come. The texts of those
    whose hashes are `known` are not read.
    """
    mine, partners = set(ids), defaultdict[str, list[str]](list)
    for a, b in sorted(_candidates(db, ids, later)):
        one, other = (a, b) if a in mine else (b, a)
        partners[other].append(one)
    unknown = {*chain.from_iterable(partners.values())} - known.keys()
    hashes = {**known, **dict(_hashed(db, sorted(unknown)))}
    # Those of the other articles, which may be all, are not kept: each text has thousands of bytes of them.
    others = _hashed(db, sorted(partners.keys() - hashes.keys()))
    own = ((other, hashes[other]) for other in partners if other in hashes)
    each = (_near(other, of, partners[other], hashes) for other, of in chain(own, others))
    return sorted(chain.from_iterable(each), key=attrgetter("a", "b"))


def _candidates(db: Database, ids: Sequence[str], later: Container[str]) -> set[tuple[str, str]]:
    """The pairs of ids, the smaller first, whose sketches have enough in common."""
    parts = (ids[at : at + _JOINED_AT_ONCE] for at in range(0, len(ids), _JOINED_AT_ONCE))
    return {
        (intern(row["a"]), intern(row["b"])) for part in parts for row in _joined(db, part) if row["other"] not in later
    }


def _joined(db: Database, ids: Sequence[str]) -> list[dict[str, str]]:
    """Each of these articles with its candidates. Half of them at a time if memory is too little for all."""
    try:
        return db.lookup(ids, _CANDIDATES)
    except StorageFault as fault:
        if len(ids) == 1 or not isinstance(fault.__cause__, duckdb.OutOfMemoryException):
            raise
    half = len(ids) // 2
    return [*_joined(db, ids[:half]), *_joined(db, ids[half:])]


def _near(id_: str, of: pa.UInt64Array, others: Sequence[str], hashes: Hashes) -> Iterator[NearDuplicate]:
    """The pairs of an article, whose text has the hashes `of`, with these others."""
    for at in range(0, len(others), _COMPARED_AT_ONCE):
        some = others[at : at + _COMPARED_AT_ONCE]
        for other, found in zip(some, overlaps(of, [hashes[one] for one in some]), strict=True):
            if found.is_kept and id_ < other:
                yield NearDuplicate(id_, other, found.shared, found.of_a, found.of_b)
            elif found.is_kept:
                yield NearDuplicate(other, id_, found.shared, found.of_b, found.of_a)


def _hashed(db: Database, ids: Sequence[str]) -> Iterator[tuple[str, pa.UInt64Array]]:
    """Each of these articles with the different hashes of its text, in storage order."""
    places = db.lookup(ids, "SELECT id FROM articles SEMI JOIN wanted USING (id) ORDER BY articles.rowid")
    for at in range(0, len(places), _HASHED_AT_ONCE):
        texts = {row["id"]: compared_text(row["body"]) for row in _bodies(db, places[at : at + _HASHED_AT_ONCE])}
        yield from zip(texts, map(pc.unique, shingle_hashes(texts.values())), strict=True)


def _bodies(db: Database, rows: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Id, revision and body of these articles, by their ids. They should be stored close to each other."""
    # DuckDB reads only the part between two rowids, and nearly every body if it is given many ids.
    ids = [row["id"] for row in rows]
    (part,) = db.lookup(ids, "SELECT min(rowid) AS first, max(rowid) AS last FROM articles SEMI JOIN wanted USING (id)")
    near = f"a.rowid BETWEEN {part['first']:d} AND {part['last']:d}"
    return db.rows(f"SELECT a.id, a.revision, a.body FROM articles a SEMI JOIN wanted USING (id) WHERE {near}")


# -- sketches


def complete_sketches(db: Database, *, later: Container[str] = (), remember: Container[str] = ()) -> Hashes:
    """Make the sketches that are missing or of an older text; remove those of articles that are not there any more.

    The articles of `later` are left without one: so they are no candidates, which halves the work of many new articles.
    Returns the hashes of the articles of `remember` whose sketches were made, or of as many as fit into memory.
    """
    db.execute(
        "DELETE FROM sketches s"
        " WHERE NOT EXISTS (SELECT 1 FROM articles a WHERE a.id = s.id AND a.revision = s.revision)"
    )
    rows = db.rows("SELECT id FROM articles ANTI JOIN sketches USING (id) ORDER BY articles.rowid")
    missing = [row for row in rows if row["id"] not in later]
    made, room = dict[str, pa.UInt64Array](), _REMEMBERED
    for at in range(0, len(missing), _HASHED_AT_ONCE):
        rows = _bodies(db, missing[at : at + _HASHED_AT_ONCE])
        hashes = list(shingle_hashes(compared_text(row.pop("body")) for row in rows))
        sketched = [{**row, "hashes": each} for row, each in zip(rows, sketches(hashes), strict=True)]
        with db.transaction():
            db.insert("sketches", db.table("sketches", sketched))
        for row, each in zip(rows, hashes, strict=True):
            if row["id"] in remember and room >= len(each):
                made[row["id"]] = pc.unique(each)
                room -= len(each)
    return made
