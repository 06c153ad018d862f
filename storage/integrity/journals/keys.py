"""Journal entries as keys: what decides which rows the tables end with. The digests of the rows are kept as columns.

The rows themselves, with their texts, are written to files only for a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa

from schemas.article import Outcome
from schemas.coverage import WindowRead
from schemas.find import Status
from schemas.journal import BatchStored, Entry, PairsFound, RowsRestated, RunEnded, RunStarted, TextsReassessed
from schemas.page import CaptureRef
from storage.database.rows import Row
from storage.integrity.journals.digests import NONE, Digests, Hasher, Sum, sum_of
from storage.integrity.journals.places import KEPT_TABLES
from storage.integrity.journals.rows import RowFiles
from storage.journal.commit import UNFINISHED
from storage.journal.entry_rows import assessed_rows, batch_rows, request_rows, restated_rows
from storage.journal.events import FindKeys, find_keys
from storage.stories.sketch import compared_hashes, sketches

_PLAIN = (
    *("id", "title", "publisher", "byline", "published_at", "crawled_at", "url", "original_url", "content_hash"),
    *("text_hash", "source", "capture_file", "capture_offset", "capture_length", "run_id"),
)
"""The columns of an imported text that it keeps when it becomes a duplicate."""


class RowKeys(NamedTuple):
    """A row with an id, and its number among those of its table in its file.

    `gone`: of `frontier`, whether the article is known to be deleted.
    """

    id: str
    number: int
    gone: bool = False


class ArticleKeys(NamedTuple):
    """A row of `articles`, and its number among those of the file. `text`: the hash of a text with an address.

    `plain`: an imported text without an address, as far as it is needed for a duplicate.
    """

    id: str
    number: int
    revision: int
    kind: str
    is_listed: bool
    text: str | None
    plain: Row | None
    published_at: datetime | None
    has_publisher: bool


@dataclass(slots=True)
class BatchKeys:
    """A batch. `changed`: the finds about which anything changed. `taken`: the captures that it mentions."""

    run_id: str
    number: int
    articles: list[ArticleKeys]
    duplicates: list[RowKeys]
    frontier: list[RowKeys]
    quarantine: list[RowKeys]
    finds: Sum
    requests: Sum
    changed: list[FindKeys]
    unlisted: list[str]
    released: list[str]
    crawled_at: datetime | None
    taken: list[CaptureRef]
    segment: Row | None
    coverage: tuple[WindowRead, ...]


@dataclass(slots=True)
class EndKeys:
    """The end of a run, without its requests."""

    entry: RunEnded
    requests: Sum


@dataclass(slots=True)
class ReassessedKeys:
    """A reassessment: of each text, id, revision, the number of its row, and the publisher if it was missing."""

    run_id: str
    number: int
    texts: list[tuple[str, int, int, str | None]]


@dataclass(slots=True)
class RestatedKeys:
    """Rows that a repair journaled again, their numbers, and the sum of their digests. `articles`: rows of texts."""

    run_id: str
    number: int
    table: str
    rows: list[Row]
    numbers: range
    sum: Sum
    articles: list[ArticleKeys]
    absent: list[Row]


EntryKeys = RunStarted | BatchKeys | EndKeys | PairsFound | ReassessedKeys | RestatedKeys


class KeyMaker:
    """Turns the entries of a file into keys, in order. `files`: where their rows are written."""

    def __init__(self, hasher: Hasher, files: RowFiles | None = None) -> None:
        self._hasher = hasher
        self._files = files
        self._places: dict[str, int] = {}
        self._digests: dict[str, list[Digests]] = {}

    def digests(self) -> dict[str, Digests]:
        """The digests of the rows that have a place, by table."""
        return {name: pa.concat_tables(found).combine_chunks() for name, found in self._digests.items()}

    def keys(self, entries: Sequence[Entry]) -> Iterator[EntryKeys]:
        """The keys of these entries."""
        batches = iter(self._batches([entry for entry in entries if isinstance(entry, BatchStored)]))
        for entry in entries:
            match entry:
                case BatchStored():
                    yield next(batches)
                case RunEnded():
                    requests = self._one("requests", request_rows(entry.run_id, entry.requests))
                    yield EndKeys(replace(entry, requests=()), requests.sum)
                case TextsReassessed():
                    yield self._reassessed(entry)
                case RowsRestated():
                    yield self._restated(entry)
                case _:
                    yield entry

    def _batches(self, entries: Sequence[BatchStored]) -> list[BatchKeys]:
        """The keys of batches. Their rows are hashed together, because each statement takes a millisecond."""
        if not entries:
            return []
        rows = [batch_rows(entry) for entry in entries]
        tables = [table for table in rows[0] if table != "segments"]
        hashed = {table: self._hashed(table, [one[table] for one in rows]) for table in tables}
        self._sketch([row for one in rows for row in one["articles"]])
        return [
            _batch_keys(entry, one, {table: found[n] for table, found in hashed.items()})
            for n, (entry, one) in enumerate(zip(entries, rows, strict=True))
        ]

    def _sketch(self, rows: Sequence[Row]) -> None:
        """Hash the sketches of these rows of `articles`, to which the same numbers belong."""
        hashes = list(compared_hashes(row.get("body") for row in rows))
        sketched = [
            {"id": row["id"], "revision": row["revision"], "hashes": each}
            for row, each in zip(rows, sketches(hashes), strict=True)
        ]
        self._one("sketches", sketched)

    def _reassessed(self, entry: TextsReassessed) -> ReassessedKeys:
        hashed = self._one("articles", assessed_rows(entry), keep_as="reassessed")
        texts = [(t.id, t.revision, number, t.publisher) for t, number in zip(entry.texts, hashed.numbers, strict=True)]
        return ReassessedKeys(entry.run_id, entry.number, texts)

    def _restated(self, entry: RowsRestated) -> RestatedKeys:
        schema = self._hasher.table(entry.table, []).schema
        rows, absent = restated_rows(schema, entry.rows), restated_rows(schema, entry.absent)
        # Older texts are numbered among the articles, which is where a batch has them.
        are_texts = entry.table in ("articles", "superseded")
        hashed = self._one("articles" if are_texts else entry.table, rows)
        if are_texts:
            self._sketch(rows)
        articles = list(map(_article_keys, rows, hashed.numbers)) if are_texts else []
        return RestatedKeys(entry.run_id, entry.number, entry.table, rows, hashed.numbers, hashed.sum, articles, absent)

    def _one(self, table: str, rows: Sequence[Row], *, keep_as: str = "") -> _Hashed:
        return self._hashed(table, [rows], keep_as=keep_as)[0]

    def _hashed(self, table: str, groups: Sequence[Sequence[Row]], *, keep_as: str = "") -> list[_Hashed]:
        """The numbers of these rows and the sum of their digests, a group each."""
        kept, rows = keep_as or table, [row for group in groups for row in group]
        if not rows:
            return [_Hashed(range(0), NONE) for _ in groups]
        first, batch = self._places.get(kept, 0), self._hasher.table(table, rows)
        self._places[kept] = first + len(rows)
        if self._files is not None:
            self._files.add(kept, batch)
        digests = self._hasher.digests(table, batch)
        if kept in KEPT_TABLES:
            self._digests.setdefault(kept, []).append(digests)
        return list(_grouped(digests, first, groups))


class _Hashed(NamedTuple):
    """Some rows of a table: their numbers, and the sum of their digests (of the first column of these)."""

    numbers: range
    sum: Sum


def _grouped(digests: Digests, first: int, groups: Sequence[Sequence[Row]]) -> Iterator[_Hashed]:
    at = 0
    for group in groups:
        numbers = range(first + at, first + at + len(group))
        yield _Hashed(numbers, sum_of(digests.slice(at, len(group))))
        at += len(group)


def _batch_keys(entry: BatchStored, rows: Mapping[str, Sequence[Row]], hashed: Mapping[str, _Hashed]) -> BatchKeys:
    results = entry.results
    return BatchKeys(
        run_id=entry.run_id,
        number=entry.number,
        articles=list(map(_article_keys, rows["articles"], hashed["articles"].numbers)),
        duplicates=list(map(_row_keys, rows["duplicates"], hashed["duplicates"].numbers)),
        frontier=list(map(_row_keys, rows["frontier"], hashed["frontier"].numbers)),
        quarantine=list(map(_row_keys, rows["quarantine"], hashed["quarantine"].numbers)),
        finds=hashed["finds"].sum,
        requests=hashed["requests"].sum,
        changed=[keys for result in results if not (keys := find_keys(result)).known or keys.copy_of is not None],
        unlisted=[r.ref.key.id for r in results if r.outcome in (Outcome.OFF_TOPIC, Outcome.DUPLICATE)],
        released=[r.ref.key.id for r in results if not r.known and r.outcome not in UNFINISHED],
        crawled_at=max((r.crawled_at for r in results if r.crawled_at), default=None),
        taken=[result.capture for result in results if result.capture is not None],
        segment=next(iter(rows["segments"]), None),
        coverage=entry.coverage,
    )


def _row_keys(row: Row, number: int) -> RowKeys:
    return RowKeys(row["id"], number, row.get("gone_at") is not None)


def _article_keys(row: Row, number: int) -> ArticleKeys:
    hosted = row.get("oid") is not None
    return ArticleKeys(
        id=row["id"],
        number=number,
        revision=row["revision"],
        kind=row["revision_kind"],
        is_listed=row["status"] == Status.LISTED,
        text=row["text_hash"] if hosted and row.get("body") else None,
        plain=None if hosted else {name: row.get(name) for name in _PLAIN},
        published_at=row.get("published_at"),
        has_publisher=row.get("publisher") is not None,
    )
