"""Journal entries as keys: what decides which rows the tables end with, and the digests of the rows.

The rows themselves, with their texts, are kept only for a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.ipc

from schemas.article import Outcome
from schemas.coverage import WindowRead
from schemas.find import Status
from schemas.journal import BatchStored, Entry, PairsFound, RowsRestated, RunEnded, RunStarted, TextsReassessed
from schemas.page import CaptureRef
from storage.database.rows import Row
from storage.integrity.journals.digests import Digests, Hasher
from storage.journal.commit import UNFINISHED
from storage.journal.entry_rows import assessed_rows, batch_rows, request_rows, restated_rows
from storage.journal.events import FindKeys, find_keys
from storage.stories.hashing import shingle_hashes
from storage.stories.sketch import compared_text, sketches

_PLAIN = (
    *("id", "title", "publisher", "byline", "published_at", "crawled_at", "url", "original_url", "content_hash"),
    *("text_hash", "source", "capture_file", "capture_offset", "capture_length", "run_id"),
)
"""The columns of an imported text that it keeps when it becomes a duplicate."""

Hashed = tuple[int, Digests]
"""The place of a row among those of its table in its file, and its digests."""


class RowKeys(NamedTuple):
    """A row with an id. `gone`: of `frontier`, whether the article is known to be deleted."""

    id: str
    run_id: str
    hashed: Hashed
    gone: bool = False


class ArticleKeys(NamedTuple):
    """A row of `articles`. `text`: the hash of the text of an article with an address.

    `plain`: an imported text without an address, as far as it is needed for a duplicate. `sketch`: its digest.
    """

    id: str
    run_id: str
    hashed: Hashed
    revision: int
    kind: str
    is_listed: bool
    text: str | None
    plain: Row | None
    published_at: datetime | None
    has_publisher: bool
    sketch: int


class Sum(NamedTuple):
    """The number of some rows, and the sum of their digests."""

    number: int
    total: int

    def plus(self, more: Sum) -> Sum:
        """Both together."""
        return Sum(self.number + more.number, self.total + more.total)


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
    """A reassessment: of each text, id, revision, the new columns, hashed, and the publisher if it was missing."""

    run_id: str
    number: int
    texts: list[tuple[str, int, Hashed, str | None]]


@dataclass(slots=True)
class RestatedKeys:
    """Rows that a repair journaled again, with their digests; those of articles also as keys."""

    run_id: str
    number: int
    table: str
    rows: list[Row]
    hashed: list[Hashed]
    articles: list[ArticleKeys]
    absent: list[Row]


EntryKeys = RunStarted | BatchKeys | EndKeys | PairsFound | ReassessedKeys | RestatedKeys


class KeyMaker:
    """Turns the entries of a file into keys, in order. `with_rows`: and keeps their rows."""

    def __init__(self, hasher: Hasher, *, with_rows: bool = False) -> None:
        self._hasher = hasher
        self._with_rows = with_rows
        self._kept: dict[str, _Kept] = {}
        self._places: dict[str, int] = {}

    def rows(self) -> dict[str, bytes]:
        """The rows that were kept, by table, as Arrow streams: a row's place is its number in there."""
        return {name: kept.stream() for name, kept in self._kept.items()}

    def keys(self, entries: Sequence[Entry]) -> Iterator[EntryKeys]:
        """The keys of these entries."""
        batches = iter(self._batches([entry for entry in entries if isinstance(entry, BatchStored)]))
        for entry in entries:
            match entry:
                case BatchStored():
                    yield next(batches)
                case RunEnded():
                    rows = request_rows(entry.run_id, entry.requests)
                    yield EndKeys(replace(entry, requests=()), _sum(self._hashed("requests", rows)))
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
        every = {table: [row for one in rows for row in one[table]] for table in rows[0] if table != "segments"}
        hashed = {table: iter(self._hashed(table, found)) for table, found in every.items()}
        articles = iter(self._articles(every["articles"], hashed["articles"]))
        return [_batch_keys(entry, one, hashed, articles) for entry, one in zip(entries, rows, strict=True)]

    def _articles(self, rows: Sequence[Row], hashed: Iterator[Hashed]) -> list[ArticleKeys]:
        hashes = list(shingle_hashes(compared_text(row.get("body")) for row in rows))
        sketched = [
            {"id": row["id"], "revision": row["revision"], "hashes": each}
            for row, each in zip(rows, sketches(hashes), strict=True)
        ]
        digests = self._hashed("sketches", sketched)
        return [_article_keys(row, one, digest) for row, one, (_, (digest,)) in zip(rows, hashed, digests, strict=True)]

    def _reassessed(self, entry: TextsReassessed) -> ReassessedKeys:
        hashed = self._hashed("articles", assessed_rows(entry), keep_as="reassessed")
        texts = [(t.id, t.revision, one, t.publisher) for t, one in zip(entry.texts, hashed, strict=True)]
        return ReassessedKeys(entry.run_id, entry.number, texts)

    def _restated(self, entry: RowsRestated) -> RestatedKeys:
        schema = self._hasher.table(entry.table, []).schema
        rows, absent = restated_rows(schema, entry.rows), restated_rows(schema, entry.absent)
        hashed = self._hashed(entry.table, rows)
        articles = self._articles(rows, iter(hashed)) if entry.table in ("articles", "superseded") else []
        return RestatedKeys(entry.run_id, entry.number, entry.table, rows, hashed, articles, absent)

    def _hashed(self, table: str, rows: Sequence[Row], *, keep_as: str = "") -> list[Hashed]:
        if not rows:
            return []
        kept, batch = keep_as or table, self._hasher.table(table, rows)
        first = self._places.get(kept, 0)
        self._places[kept] = first + len(rows)
        if self._with_rows:
            self._kept.setdefault(kept, _Kept(batch.schema)).add(batch)
        return list(enumerate(self._hasher.digests(table, batch), first))


class _Kept:
    """Rows of a table, compressed at once: those of a large file would take hundreds of megabytes."""

    def __init__(self, schema: pa.Schema) -> None:
        self._sink = pa.BufferOutputStream()
        self._writer = pa.ipc.new_stream(self._sink, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))

    def add(self, rows: pa.Table) -> None:
        self._writer.write_table(rows)

    def stream(self) -> bytes:
        self._writer.close()
        return self._sink.getvalue().to_pybytes()


def _batch_keys(
    entry: BatchStored,
    rows: Mapping[str, Sequence[Row]],
    hashed: Mapping[str, Iterator[Hashed]],
    articles: Iterator[ArticleKeys],
) -> BatchKeys:
    """The keys of a batch. The iterators begin with its rows, and end behind them."""
    results = entry.results
    return BatchKeys(
        run_id=entry.run_id,
        number=entry.number,
        articles=[next(articles) for _ in rows["articles"]],
        duplicates=[_row_keys(row, next(hashed["duplicates"])) for row in rows["duplicates"]],
        frontier=[_row_keys(row, next(hashed["frontier"])) for row in rows["frontier"]],
        quarantine=[_row_keys(row, next(hashed["quarantine"])) for row in rows["quarantine"]],
        finds=_sum([next(hashed["finds"]) for _ in rows["finds"]]),
        requests=_sum([next(hashed["requests"]) for _ in rows["requests"]]),
        changed=[keys for result in results if not (keys := find_keys(result)).known or keys.copy_of is not None],
        unlisted=[r.ref.key.id for r in results if r.outcome in (Outcome.OFF_TOPIC, Outcome.DUPLICATE)],
        released=[r.ref.key.id for r in results if not r.known and r.outcome not in UNFINISHED],
        crawled_at=max((r.crawled_at for r in results if r.crawled_at), default=None),
        taken=[result.capture for result in results if result.capture is not None],
        segment=next(iter(rows["segments"]), None),
        coverage=entry.coverage,
    )


def _row_keys(row: Row, hashed: Hashed) -> RowKeys:
    return RowKeys(row["id"], row["run_id"], hashed, row.get("gone_at") is not None)


def _article_keys(row: Row, hashed: Hashed, sketch: int) -> ArticleKeys:
    hosted = row.get("oid") is not None
    return ArticleKeys(
        id=row["id"],
        run_id=row["run_id"],
        hashed=hashed,
        revision=row["revision"],
        kind=row["revision_kind"],
        is_listed=row["status"] == Status.LISTED,
        text=row["text_hash"] if hosted and row.get("body") else None,
        plain=None if hosted else {name: row.get(name) for name in _PLAIN},
        published_at=row.get("published_at"),
        has_publisher=row.get("publisher") is not None,
        sketch=sketch,
    )


def _sum(hashed: Sequence[Hashed]) -> Sum:
    return Sum(len(hashed), sum(digests[0] for _, digests in hashed))
