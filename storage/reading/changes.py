"""The change feed read back: what changed behind a cursor, in order, each change with the text that it brought.

A consumer keeps the cursor of the last change that it has taken in, and asks for what is behind it. Asked again from
the same cursor, the same changes come first, with the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from schemas.errors import BadInput
from schemas.exported import COLUMNS

AT_ONCE = 20_000
"""Changes in memory at a time, with their texts."""

_LISTS = ("authors", "categories", "reasons", "teams", "images")
_TEXT = ", ".join(f"coalesce({n}, []) AS {n}" if n in _LISTS else n for n in COLUMNS if n != "duplicates")
_EVENTS = "SELECT seq, changed_at, kind, id, revision, duplicate_of FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
_EVENT = ("seq", "changed_at", "kind", "id", "revision", "duplicate_of")

Change = dict[str, Any]


def newest(connection: duckdb.DuckDBPyConnection) -> int:
    """The cursor behind everything; 0 where nothing has happened yet. Raises BadInput where there is no feed."""
    try:
        row = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    except duckdb.CatalogException as error:
        raise BadInput("the archive is from before there was a change feed. Run `seogo repair` once.") from error
    return int(row[0]) if row else 0


def changes(connection: duckdb.DuckDBPyConnection, since: int) -> Iterator[Change]:
    """What changed behind the cursor `since` (0: everything), in order. Raises BadInput for a cursor of elsewhere.

    Each change has `seq`, its own cursor; `changed_at`, `kind`, `id`, `revision`, `duplicate_of`; and `article`, the
    exported record of the text that came with it: None where none did, and where it is not held any more, because a
    later change removed it.
    """
    if since > newest(connection):
        raise BadInput(f"cursor {since} is ahead of this archive, whose newest change is {newest(connection)}.")
    while events := connection.execute(_EVENTS, [since, AT_ONCE]).fetchall():
        found = [dict(zip(_EVENT, event, strict=True)) for event in events]
        texts, copies = _texts(connection, found), _copies(connection, found)
        for event in found:
            text = texts.get((event["id"], event["revision"]))
            yield {**event, "article": {**text, "duplicates": copies.get(event["id"], [])} if text else None}
        since = found[-1]["seq"]


def _texts(connection: duckdb.DuckDBPyConnection, events: Sequence[Change]) -> Mapping[tuple[str, int], Change]:
    """The texts that came with these changes, by id and revision."""
    _want(connection, [(event["id"], event["revision"]) for event in events if event["revision"] is not None])
    found = {}
    # One after the other: over the view of both, DuckDB would read every text of the archive.
    for table in ("articles", "superseded"):
        query = f"SELECT {_TEXT} FROM {table} SEMI JOIN wanted USING (id, revision)"
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        for row in cursor.fetchall():
            text = dict(zip(names, row, strict=True))
            found[text["id"], text["revision"]] = text
    return found


def _copies(connection: duckdb.DuckDBPyConnection, events: Sequence[Change]) -> Mapping[str, list[str]]:
    """The ids of the copies of these articles, as they are now."""
    _want(connection, [(event["id"], 1) for event in events])
    rows = connection.execute(
        "SELECT duplicate_of, list(id ORDER BY id) FROM duplicates"
        " WHERE duplicate_of IN (SELECT id FROM wanted) GROUP BY ALL"
    ).fetchall()
    return dict(rows)


def _want(connection: duckdb.DuckDBPyConnection, keys: Sequence[tuple[str, int]]) -> None:
    ids, revisions = [key[0] for key in keys], [key[1] for key in keys]
    columns = {"id": pa.array(ids, pa.string()), "revision": pa.array(revisions, pa.int32())}
    connection.register("wanted", pa.table(columns))
