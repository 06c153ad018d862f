"""The near-duplicates of texts: candidates by one join over all sketches, then the exact overlap of each candidate."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
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
"""Articles whose pairs are looked for at a time. More take more memory. Fewer take longer, since DuckDB reads nearly
all bodies to find a few hundred."""

_JOINED_AT_ONCE = 2_500
"""Articles in one join: its result is as large as their texts are alike."""

_SKETCHED_AT_ONCE = 1_000
_REMEMBERED = 8_000_000
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
"""The different hashes of the shingles of articles, by their ids."""


def pairs_of(
    db: Database, ids: Sequence[str], *, later: Container[str] = (), known: Hashes = MappingProxyType({})
) -> list[NearDuplicate]:
    """All pairs that have one of these articles in them, in the order of their ids.

    Every article has its sketch. Pairs with an article of `later` are left out: its turn will come. `known`: hashes of
    articles, whose texts are not read.
    """
    found = sorted(_candidates(db, ids, later))
    compared = sorted({*chain.from_iterable(found)} - known.keys())
    return list(_near_duplicates(found, {**known, **_hashes(db, compared)}))


def _candidates(db: Database, ids: Sequence[str], later: Container[str]) -> set[tuple[str, str]]:
    """The pairs of ids, the smaller first, whose sketches have enough in common."""
    parts = (ids[at : at + _JOINED_AT_ONCE] for at in range(0, len(ids), _JOINED_AT_ONCE))
    return {(row["a"], row["b"]) for part in parts for row in _joined(db, part) if row["other"] not in later}


def _joined(db: Database, ids: Sequence[str]) -> list[dict[str, str]]:
    """Each of these articles with its candidates. Half of them at a time if memory is too little for all."""
    try:
        return db.lookup(ids, _CANDIDATES)
    except StorageFault as fault:
        if len(ids) == 1 or not isinstance(fault.__cause__, duckdb.OutOfMemoryException):
            raise
    half = len(ids) // 2
    return [*_joined(db, ids[:half]), *_joined(db, ids[half:])]


def _near_duplicates(candidates: Sequence[tuple[str, str]], hashes: Hashes) -> Iterator[NearDuplicate]:
    for a, others in _grouped(candidates):
        for b, found in zip(others, overlaps(hashes[a], [hashes[b] for b in others]), strict=True):
            if found.is_kept:
                yield NearDuplicate(a, b, found.shared, found.of_a, found.of_b)


def _grouped(candidates: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Sequence[str]]]:
    """The candidates of each article, at most _COMPARED_AT_ONCE."""
    for a, group in groupby(candidates, itemgetter(0)):
        while others := [b for _, b in islice(group, _COMPARED_AT_ONCE)]:
            yield a, others


def _hashes(db: Database, ids: Sequence[str]) -> Hashes:
    rows = db.lookup(ids, "SELECT a.id, a.body FROM wanted JOIN articles a USING (id)") if ids else []
    hashes = shingle_hashes(compared_text(row.pop("body")) for row in rows)
    return {row["id"]: pc.unique(each) for row, each in zip(rows, hashes, strict=True)}


# -- sketches


def complete_sketches(db: Database, *, later: Container[str] = (), remember: Container[str] = ()) -> Hashes:
    """Make the sketches that are missing or of an older text; remove those of articles that are not there any more.

    The articles of `later` are left without one: so they are no candidates, which halves the work of many new articles.
    Returns the hashes of the articles of `remember` that were made, or of as many as fit into memory.
    """
    db.execute(
        "DELETE FROM sketches s"
        " WHERE NOT EXISTS (SELECT 1 FROM articles a WHERE a.id = s.id AND a.revision = s.revision)"
    )
    rows = db.rows("SELECT id FROM articles ANTI JOIN sketches USING (id) ORDER BY articles.rowid")
    missing = [row["id"] for row in rows if row["id"] not in later]
    made, room = dict[str, pa.UInt64Array](), _REMEMBERED
    for at in range(0, len(missing), _SKETCHED_AT_ONCE):
        rows, hashes = _sketched(db, missing[at : at + _SKETCHED_AT_ONCE])
        with db.transaction():
            db.insert("sketches", db.table("sketches", rows))
        for row, each in zip(rows, hashes, strict=True):
            if row["id"] in remember and room >= len(each):
                made[row["id"]] = pc.unique(each)
                room -= len(each)
    return made


def _sketched(db: Database, ids: Sequence[str]) -> tuple[list[dict[str, Any]], list[pa.UInt64Array]]:
    """The rows of `sketches` for these articles, and the hashes of each."""
    # DuckDB reads only the part between two rowids, and nearly every body if it is given many ids.
    (part,) = db.lookup(ids, "SELECT min(rowid) AS first, max(rowid) AS last FROM articles SEMI JOIN wanted USING (id)")
    near = f"a.rowid BETWEEN {part['first']:d} AND {part['last']:d}"
    rows = db.rows(f"SELECT a.id, a.revision, a.body FROM articles a SEMI JOIN wanted USING (id) WHERE {near}")
    hashes = list(shingle_hashes(compared_text(row.pop("body")) for row in rows))
    return [{**row, "hashes": each} for row, each in zip(rows, sketches(hashes), strict=True)], hashes
