"""The rows that an entry gives by itself, whatever the database has: pure functions of the entry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from schemas.coverage import Stretch, WindowRead, after
from schemas.journal import BatchStored, RunEnded, RunStarted, TextsReassessed
from schemas.page import RequestRecord
from storage.database.rows import (
    Row,
    article_row,
    duplicate_row,
    find_row,
    frontier_row,
    plain_text_row,
    quarantine_row,
    relevance_columns,
)

if TYPE_CHECKING:
    import pyarrow as pa

ASSESSED = ("relevance", "reasons", "teams", "models", "on_topic")
"""The columns of `articles` that a reassessment replaces; besides, it fills `publisher` where there is none."""

UPSERTED = ("articles", "duplicates", "frontier", "quarantine")
"""The tables of a batch in which a row replaces the one with its id; rows of the others are added."""


def start_row(entry: RunStarted) -> Row:
    """The row of `runs` at the start of a run."""
    return {**asdict(entry), "batches": 0}


def batch_rows(entry: BatchStored) -> dict[str, list[Row]]:
    """The rows of a batch, by table."""
    run_id, results = entry.run_id, entry.results
    return {
        "articles": [
            *(row for r in results if (row := article_row(r, run_id))),
            *(plain_text_row(text, run_id) for text in entry.texts),
        ],
        "duplicates": [row for r in results if (row := duplicate_row(r, run_id))],
        "frontier": [row for r in results if (row := frontier_row(r, run_id))],
        "quarantine": [row for r in results if (row := quarantine_row(r, run_id))],
        "finds": [find_row(result, run_id) for result in results],
        "requests": request_rows(run_id, entry.requests),
        "segments": [{**asdict(entry.segment), "run_id": run_id}] if entry.segment is not None else [],
    }


def request_rows(run_id: str, requests: Sequence[RequestRecord]) -> list[Row]:
    """Rows of the request ledger."""
    names = RequestRecord.__slots__
    # Not `asdict`, which copies every value: a journal has more requests than anything else.
    return [{"run_id": run_id, **{name: getattr(request, name) for name in names}} for request in requests]


def cursor_rows(entry: RunEnded) -> list[Row]:
    """Rows of `cursors`: how far each source has been read."""
    return [{"source": s, "watermark": at, "run_id": entry.run_id} for s, at in entry.watermarks.items()]


def receipt_columns(receipt: Mapping[str, Any]) -> Row:
    """The columns of `runs` that the end of a run fills."""
    finished = receipt["finished_at"]
    return {
        "finished_at": datetime.fromisoformat(finished) if finished else None,
        "exit_reason": receipt["exit_reason"],
        "finds": receipt["finds"],
        "outcomes": list(receipt["outcomes"].items()),
        "requests": receipt["requests"],
        "bytes": receipt["bytes"],
        "receipt": json.dumps(receipt, ensure_ascii=False),
    }


def assessed_rows(entry: TextsReassessed) -> list[Row]:
    """Id, revision and the new columns of the texts of a reassessment."""
    return [
        {"id": t.id, "revision": t.revision, "publisher": t.publisher, **relevance_columns(t.relevance)}
        for t in entry.texts
    ]


def covered(rows: Iterable[Row], run_id: str, windows: Sequence[WindowRead]) -> list[Row]:
    """The coverage ledger of the sources of `windows` after these were read; `rows` are their ledgers before."""
    ledgers: dict[str, list[Stretch]] = {source: [] for source in sorted({read.source for read in windows})}
    runs: dict[tuple[str, Stretch], str] = {}
    for row in rows:
        stretch = Stretch(row["since"], row["until"], row["reason"])
        ledgers[row["source"]].append(stretch)
        runs[row["source"], stretch] = row["run_id"]
    for read in windows:
        ledgers[read.source] = after(ledgers[read.source], read)
    return [
        {
            "source": source,
            "since": stretch.since,
            "until": stretch.until,
            "reason": stretch.reason,
            "state": "closed" if stretch.reason is None else "gap",
            "run_id": runs.get((source, stretch), run_id),
        }
        for source, ledger in ledgers.items()
        for stretch in ledger
    ]


def restated_rows(schema: pa.Schema, entries: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows of a journal entry, in which times and maps are text and objects, as values of a table's columns."""
    import pyarrow as pa

    times = [name for name in schema.names if pa.types.is_timestamp(schema.field(name).type)]
    maps = [name for name in schema.names if pa.types.is_map(schema.field(name).type)]
    rows = []
    for plain in entries:
        row = dict(plain)
        row |= {name: datetime.fromisoformat(row[name]) for name in times if isinstance(row.get(name), str)}
        row |= {name: list(row[name].items()) for name in maps if row.get(name) is not None}
        rows.append(row)
    return rows
