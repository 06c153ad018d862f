"""The near-duplicates of texts: candidates by one join over all sketches, then the exact overlap of each candidate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from sys import intern
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import StorageFault
from schemas.journal import NearDuplicate
from storage.database.writer import Database
from storage.stories.sketch import FEWEST_COMMON, ONE_IN_COMMON, compared_hashes, is_kept, shared_with, sketches

AT_ONCE = 5_000
"""Articles whose pairs are looked for at a time. More take more memory. Fewer take longer, since the texts of the other
articles are read and hashed again for each part."""

_HASHED_AT_ONCE = 1_000
_REMEMBERED = 4_000_000
"""Hashes of new texts that are kept until they are compared, of 8 bytes each; the others are computed once more."""

_COMPARED_AT_ONCE = 100

_CANDIDATES = f"""
    WITH mine AS MATERIALIZED (
        SELECT rowid AS n, len(hashes) AS size, hashes FROM sketches SEMI JOIN wanted USING (id)
    ), own AS (
        SELECT n, size, unnest(hashes) AS hash FROM mine
    ), every AS (
        SELECT s.rowid AS n, m.n IS NULL AS is_other, len(s.hashes) AS size, unnest(s.hashes) AS hash
        FROM sketches s LEFT JOIN mine m ON m.n = s.rowid
    ), close AS (
        SELECT o.n AS n, e.n AS other FROM own o JOIN every e USING (hash)
        WHERE e.is_other OR o.n < e.n GROUP BY o.n, e.n
        HAVING count(*) >= {FEWEST_COMMON}
            AND count(*) * {ONE_IN_COMMON} >= least(any_value(o.size), any_value(e.size))
    )
    SELECT e.id AS other, list(m.id) AS ids
    FROM close c JOIN sketches m ON m.rowid = c.n JOIN sketches e ON e.rowid = c.other GROUP BY e.id
"""
# Numbers of rows instead of ids: half the memory, three quarters of the time. Each pair of two of these articles once.


Hashes = dict[str, pa.UInt64Array]
"""The hashes of the texts of articles, by their ids."""


def pairs_of(
    db: Database, ids: Sequence[str], *, later: Container[str] = (), known: Hashes | None = None
) -> list[NearDuplicate]:
    """All pairs that have one of these articles in them, in the order of their ids.

    Every article has its sketch. Pairs with an article of `later` are left out: its turn will come. The texts of those
    whose hashes are `known`, with repetitions, are not read; those are taken out.
    """
    partners = defaultdict[str, list[str]](list)
    for other, some in _candidates(db, ids):
        if other not in later:
            partners[other] += map(intern, some)
    wanted, known = {*chain.from_iterable(partners.values())}, known or {}
    hashes = {id_: pc.unique(known[id_]) for id_ in wanted & known.keys()}
    known.clear()
    hashes |= _hashed(db, sorted(wanted - hashes.keys()))
    # Those of the other articles, which may be all, are not kept: each text has thousands of bytes of them.
    others = _hashed(db, sorted(partners.keys() - hashes.keys()))
    own = ((other, hashes[other]) for other in partners if other in hashes)
    each = (_near(other, of, partners[other], hashes) for other, of in chain(own, others))
    return sorted(chain.from_iterable(each), key=attrgetter("a", "b"))


def _candidates(db: Database, ids: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Each article whose sketch has enough in common with those of some of `ids`, with these; two of `ids` once.

    Half of them at a time if memory is too little for all.
    """
    try:
        yield from ((row["other"], row["ids"]) for row in db.lookup(ids, _CANDIDATES))
    except StorageFault as fault:
        if len(ids) == 1 or not isinstance(fault.__cause__, duckdb.OutOfMemoryException):
            raise
        half = len(ids) // 2
        yield from _candidates(db, ids[:half])
        before = {*ids[:half]}
        yield from ((other, some) for other, some in _candidates(db, ids[half:]) if other not in before)


def _near(id_: str, of: pa.UInt64Array, others: Sequence[str], hashes: Hashes) -> Iterator[NearDuplicate]:
    """The pairs of an article, whose text has the hashes `of`, with these others."""
    for at in range(0, len(others), _COMPARED_AT_ONCE):
        some = others[at : at + _COMPARED_AT_ONCE]
        theirs = [hashes[other] for other in some]
        for other, size, shared in zip(some, map(len, theirs), shared_with(of, theirs), strict=True):
            if is_kept(shared, len(of), size):
                pair = (id_, shared / len(of)), (other, shared / size)
                (a, of_a), (b, of_b) = sorted(pair)
                yield NearDuplicate(a, b, shared, of_a, of_b)


def _hashed(db: Database, ids: Sequence[str]) -> Iterator[tuple[str, pa.UInt64Array]]:
    """Each of these articles with the different hashes of its text, in storage order."""
    places = db.lookup(ids, "SELECT id, articles.rowid AS place FROM articles SEMI JOIN wanted USING (id)")
    for rows in _bodies(db, places):
        hashes = compared_hashes(row["body"] for row in rows)
        yield from zip((row["id"] for row in rows), map(pc.unique, hashes), strict=True)


def _bodies(db: Database, places: Sequence[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Id, revision and body of the articles with these ids and rowids, some at a time, in storage order."""
    inorder = sorted(places, key=itemgetter("place"))
    for at in range(0, len(inorder), _HASHED_AT_ONCE):
        some = inorder[at : at + _HASHED_AT_ONCE]
        # DuckDB reads only the part between two rowids, and nearly every body if it is given many ids.
        near = f"a.rowid BETWEEN {some[0]['place']:d} AND {some[-1]['place']:d}"
        query = f"SELECT a.id, a.revision, a.body FROM articles a SEMI JOIN wanted USING (id) WHERE {near}"
        yield db.lookup([row["id"] for row in some], query)


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
    missing = db.rows("SELECT id, articles.rowid AS place FROM articles ANTI JOIN sketches USING (id)")
    made, room = Hashes(), _REMEMBERED
    for rows in _bodies(db, [row for row in missing if row["id"] not in later]):
        hashes = list(compared_hashes(row.pop("body") for row in rows))
        sketched = [{**row, "hashes": each} for row, each in zip(rows, sketches(hashes), strict=True)]
        with db.transaction():
            db.insert("sketches", db.table("sketches", sketched))
        for row, each in zip(rows, hashes, strict=True):
            if row["id"] in remember and room >= len(each):
                made[row["id"]] = each
                room -= len(each)
    return made
