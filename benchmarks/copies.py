"""Near-duplicates: which are found, and what that costs.

    python -m benchmarks.copies [--articles N] [--sketches N] [--quick]

On the real documents beside the checkout: recall and precision against all pairs compared, with and without footers;
ten kinds of alteration. On these texts and those of further days, which are made of them: seconds and bytes an article.
On made-up sketches: a batch of 256.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, count, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import duckdb

from benchmarks.relevance import CORPUS, documents
from benchmarks.support import introduce, options, work_folder
from schemas.journal import PairsFound, RunStarted
from storage.database.writer import Database
from storage.journal.commit import plan_commit
from storage.stories import follower, pairs
from storage.stories.hashing import shingle_hashes
from storage.stories.passages import sentences
from storage.stories.sketch import (
    FEWEST_COMMON,
    ONE_IN_COMMON,
    SHORTEST,
    compared_text,
    is_kept,
    letters,
    shingles,
    sketches,
)

_FOOTER = 30
"""Characters at the end of a text that are the same on each day."""

RUN = "20260102T030405Z-0001"
Pair = tuple[int, int]


# -- all pairs, compared


def brute_force(texts: Sequence[str]) -> set[Pair]:
    """Of all pairs of texts of SHORTEST letters, those with a containment of at least 0.5."""
    return {(a, b) for a, b in _possible(texts) if are_alike(texts[a], texts[b])}


def are_alike(a: str, b: str) -> bool:
    """Whether half of the shingles of either text stand in the other."""
    one, other = shingles(a), shingles(b)
    return is_kept(len(one & other), len(one), len(other))


def _possible(texts: Sequence[str]) -> set[Pair]:
    """All pairs of which one text may stand in the other to at least a half.

    If half of its shingles do, so does one of its rarest half and one more.
    """
    hashes = [array("I", {crc32(s.encode()) for s in shingles(t)} if len(t) >= SHORTEST else ()) for t in texts]
    documents = Counter(value for each in hashes for value in each)
    places: defaultdict[int, list[int]] = defaultdict(list)
    for n, each in enumerate(hashes):
        for value in each:
            if documents[value] > 1:
                places[value].append(n)
    pairs_found: set[Pair] = set()
    for n, each in enumerate(hashes):
        if sum(documents[value] > 1 for value in each) * 2 >= len(each) > 0:
            rarest = sorted(each, key=documents.__getitem__)[: len(each) // 2 + 1]
            others = {other for value in rarest if documents[value] > 1 for other in places[value]} - {n}
            pairs_found |= {(min(n, other), max(n, other)) for other in others}
    return pairs_found


def compare(name: str, found: set[Pair], every: set[Pair]) -> None:
    """Print how many of all pairs were found."""
    print(f"{name}: {len(every):,} pairs of all compared, {len(found & every):,} found, "
          f"recall {len(found & every) / max(len(every), 1):.4f}")  # fmt: skip


# -- alterations


def _words_changed(lines: Sequence[str], each: int, rng: Random) -> str:
    words = " ".join(line.strip() for line in lines).split()
    return " ".join(rng.choice(words) if at % each == each - 1 else word for at, word in enumerate(words))


ALTERATIONS: dict[str, Callable[[Sequence[str], Sequence[str], Random], str]] = {
    "headline and byline": lambda own, other, rng: (
        f"[단독] {other[0]}\n\n{''.join(own)}\n\n김가온 기자 gaon@example.org"
    ),
    "spaces and quotes": lambda own, other, rng: "".join(own).replace('"', "”").replace(" ", "  "),
    "half cut": lambda own, other, rng: "".join(own[: len(own) // 2 + 1]),
    "three sentences": lambda own, other, rng: "".join(own[:3]),
    "every fourth sentence dropped": lambda own, other, rng: "".join(s for n, s in enumerate(own) if n % 4 != 3),
    "order changed": lambda own, other, rng: " ".join(rng.sample(list(own), len(own))),
    "synonyms": lambda own, other, rng: "".join(own).replace("밝혔다", "말했다").replace("지난", "앞선"),
    "one word of twelve replaced": lambda own, other, rng: _words_changed(own, 12, rng),
    "own lead": lambda own, other, rng: "".join([*other[:4], *own[: len(own) * 6 // 10 + 1]]),
    "round-up of three": lambda own, other, rng: "".join([*other, *own, *reversed(other)]),
}


def alterations(bodies: Sequence[str], number: int) -> None:
    """Print how many altered copies are found, of those with a containment of at least 0.5."""
    rng = Random(1)
    long = [body for body in bodies if len(compared_text(body)) >= 600 and len(sentences(body)) >= 8]
    chosen = rng.sample(long, min(number, len(long)))
    for name, alter in ALTERATIONS.items():
        tried = found = 0
        for own, other in zip(chosen, [*chosen[1:], chosen[0]], strict=True):
            a, b = compared_text(own), compared_text(alter(sentences(own), sentences(other), rng))
            if b and are_alike(a, b):
                tried += 1
                one, two = sketches(list(shingle_hashes([a, b])))
                common, fewer = len({*one} & {*two}), min(len(one), len(two))
                found += common >= FEWEST_COMMON and common * ONE_IN_COMMON >= fewer
        print(f"  {name}: {found / max(tried, 1):.3f} of {tried}")


# -- what it costs


def made_texts(bodies: Sequence[str]) -> Iterator[str]:
    """The real texts of one day, then those of further days: the same texts in other letters, but for their footers.

    So a day has as many copies as the real one, and what the articles of different days share are footers.
    """
    yield from bodies
    alphabets = [[chr(code) for code in range(ord(first), ord(last) + 1)] for first, last in ("가힣", "az", "AZ", "09")]
    rng = Random(1)
    while True:
        replaced = (zip(each, rng.sample(each, len(each)), strict=True) for each in alphabets)
        others = str.maketrans(dict(chain.from_iterable(replaced)))
        yield from (body[:-_FOOTER].translate(others) + body[-_FOOTER:] for body in bodies)


def stored(path: Path, bodies: Iterable[str]) -> Database:
    """A new database with a run and these texts."""
    path.unlink(missing_ok=True)
    db, numbers = Database.open(path, commented=False), count()
    plan_commit(db, RunStarted(RUN, 1, "import", None, datetime.now(UTC)))()
    texts = iter(bodies)
    while part := list(islice(texts, 5_000)):
        with db.transaction():
            db.insert("articles", db.table("articles", [_row(next(numbers), body) for body in part]))
    return db


def _row(number: int, body: str) -> dict[str, Any]:
    id_ = f"{number % 900:03d}_{number:010d}"
    return {"id": id_, "status": "archived", "body": body, "revision": 1, "revision_kind": "new", "run_id": RUN}


def follow(db: Database) -> tuple[float, float]:
    """Find and commit the pairs of all articles. Returns seconds, of the clock and of the processor."""
    began, used = time.monotonic(), time.process_time()
    for number, part in enumerate(follower.parts(db), start=1):
        plan_commit(db, PairsFound(RUN, number * 100, datetime.now(UTC), part.ids, part.pairs, part.until))()
    return time.monotonic() - began, time.process_time() - used


def bytes_of(db: Database) -> int:
    """Bytes of the tables of near-duplicates, alone in a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tables.duckdb"
        settings: dict[str, str | bool | int | float | list[str]] = {"storage_compatibility_version": "v1.5.0"}
        with duckdb.connect(str(path), config=settings) as con:
            con.execute(f"ATTACH '{db.path}' AS whole (READ_ONLY)")
            for table in ("sketches", "near_duplicates", "story_members"):
                con.execute(f"CREATE TABLE {table} AS FROM whole.{table}")
        return path.stat().st_size


def batch_against(work: Path, number: int) -> None:
    """Print the seconds that a batch of 256 takes to find its candidates among made-up sketches."""
    path = work / "sketches.duckdb"
    path.unlink(missing_ok=True)
    db = Database.open(path, commented=False)
    for at in range(0, number, 50_000):
        db.execute(
            "INSERT INTO sketches SELECT any_value(printf('%03d_%010d', i % 900, i)), 1,"
            f" list((random() * 268435455)::UINTEGER) FROM range({at}, {min(at + 50_000, number)}) t(i), range(42)"
            " GROUP BY i"
        )
    ids = [row["id"] for row in db.rows("SELECT id FROM sketches USING SAMPLE 256 ROWS")]
    for _ in range(3):
        began, used = time.monotonic(), time.process_time()
        pairs.pairs_of(db, ids)
        print(f"  {time.monotonic() - began:.2f} s, {time.process_time() - used:.2f} s of the processor")
    db.abandon()
    path.unlink()


# -- main


def main() -> None:
    """Find, compare, measure, and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000, metavar="N")
    parser.add_argument("--sketches", type=int, default=1_000_000, metavar="N")
    given = parser.parse_args()
    if not CORPUS.is_file():
        raise SystemExit(f"{CORPUS} is missing: the benchmark needs real texts.")
    work = work_folder(given.work)
    bodies = [body for _, body in islice(documents(), 1_000 if given.quick else None)]
    articles, sketched = (2_000, 20_000) if given.quick else (given.articles, given.sketches)
    introduce(f"Near-duplicates of {len(bodies):,} real texts, {articles:,} articles, {sketched:,} sketches")

    db = stored(work / "copies.duckdb", bodies)
    follow(db)
    rows = db.rows("SELECT a, b, greatest(of_a, of_b) AS most FROM near_duplicates")
    numbers = [(int(row["a"][4:]), int(row["b"][4:])) for row in rows]
    found = {(min(pair), max(pair)) for pair in numbers}
    print(f"{len(found):,} pairs found, {sum(row['most'] < 0.3 for row in rows)} of them below 0.3")
    db.abandon()
    compare("without footers", found, brute_force([compared_text(body) for body in bodies]))
    compare("whole texts", found, brute_force([letters(body) for body in bodies]))
    print("altered copies found, of those of which half is left:")
    alterations(bodies, 30 if given.quick else 500)

    db = stored(work / "copies.duckdb", islice(made_texts(bodies), articles))
    seconds, used = follow(db)
    number = db.rows("SELECT count(*) AS number FROM near_duplicates")[0]["number"]
    print(f"{articles:,} articles, {number:,} pairs: {1000 * used / articles:.3f} ms of the processor an article, "
          f"{1000 * seconds / articles:.3f} ms by the clock")  # fmt: skip
    db.close()
    print(f"{bytes_of(db) / articles:.0f} bytes an article")
    (work / "copies.duckdb").unlink()
    print(f"a batch of 256 against {sketched:,} sketches:")
    batch_against(work, sketched)


if __name__ == "__main__":
    main()
