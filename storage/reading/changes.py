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
from storage.reading.reader import newest_change
from storage.reading.schema import check_schema

AT_ONCE = 20_000
"""Changes in memory at a time, with their texts."""

LISTS = ("authors", "categories", "reasons", "teams", "models", "images")
"""Columns of `articles` that hold lists: none is exported as null."""
COPY = "struct_pack(id := id, title := title, publisher := publisher, url := url)"
"""A row of `duplicates` as it is exported."""

_OF_OTHERS = ("duplicates", "gone_at", "story")
_TEXT = ", ".join(f"coalesce({n}, []) AS {n}" if n in LISTS else n for n in COLUMNS if n not in _OF_OTHERS)
_EVENTS = (
    "SELECT seq, changed_at, kind, id, revision, duplicate_of, story FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
)
_EVENT = ("seq", "changed_at", "kind", "id", "revision", "duplicate_of", "story")

Change = dict[str, Any]


def first_run(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The id of the archive's first run, which no other archive has; None before it."""
    row = connection.execute("SELECT min(run_id) FROM runs").fetchone()
    return row[0] if row else None


def summary(connection: duckdb.DuckDBPyConnection, since: int) -> dict[str, Any]:
    """What changed behind the cursor `since`, in numbers: `counts` by kind, articles by team (`teams`), and `runs`."""
    behind = "(FROM events WHERE seq > ?)"
    counts = connection.execute(f"SELECT kind, count(*) FROM {behind} GROUP BY kind ORDER BY kind", [since])
    by_kind = dict(counts.fetchall())
    teams = connection.execute(
        f"SELECT team, count(DISTINCT id) FROM teams WHERE id IN (SELECT id FROM {behind}) GROUP BY team ORDER BY team",
        [since],
    )
    by_team = dict(teams.fetchall())
    runs = connection.execute(f"SELECT DISTINCT run_id FROM {behind} ORDER BY run_id", [since]).fetchall()
    return {"counts": by_kind, "teams": by_team, "runs": [run for (run,) in runs]}


def changes(connection: duckdb.DuckDBPyConnection, since: int, *, at_once: int = AT_ONCE) -> Iterator[Change]:
    """What changed behind the cursor `since` (0: everything), in order. Raises BadInput for a cursor of elsewhere,
    and for the snapshot of an older seogo.

    Each change has `seq`, its own cursor; `changed_at`, `kind`, `id`, `revision`, `duplicate_of`, `story`; `duplicate`,
    the copy of which it tells; and `article`, the exported record of the text that came with it. These two are None
    where none came, and where it is not held any more, because a later change removed it. `at_once` are read at a time.
    """
    if since > newest_change(connection):
        newest = newest_change(connection)
        raise BadInput(f"cursor {since} is ahead of this archive, whose newest change is {newest}.")
    check_schema(connection)
    while events := connection.execute(_EVENTS, [since, at_once]).fetchall():
        found = [dict(zip(_EVENT, event, strict=True)) for event in events]
        texts, copies, gone = _texts(connection, found), _copies(connection, found), _gone(connection, found)
        of_copies, stories = _named_copies(connection, found), _stories(connection, found)
        for event in found:
            id_ = event["id"]
            others = {"duplicates": copies.get(id_, []), "gone_at": gone.get(id_), "story": stories.get(id_)}
            text = texts.get((id_, event["revision"]))
            article = {name: others[name] if name in others else text[name] for name in COLUMNS} if text else None
            yield {**event, "duplicate": of_copies.get((id_, event["duplicate_of"])), "article": article}
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


def _gone(connection: duckdb.DuckDBPyConnection, events: Sequence[Change]) -> Mapping[str, Any]:
    """Since when these articles are known to be deleted, those that are."""
    _want(connection, [(event["id"], 1) for event in events])
    sql = "SELECT id, gone_at FROM frontier WHERE gone_at IS NOT NULL AND id IN (SELECT id FROM wanted)"
    return dict(connection.execute(sql).fetchall())


def _stories(connection: duckdb.DuckDBPyConnection, events: Sequence[Change]) -> Mapping[str, str]:
    """The stories in which these articles are now, those that are in one."""
    _want(connection, [(event["id"], 1) for event in events])
    sql = "SELECT id, story FROM story_members WHERE id IN (SELECT id FROM wanted)"
    return dict(connection.execute(sql).fetchall())


def _named_copies(connection: duckdb.DuckDBPyConnection, events: Sequence[Change]) -> Mapping[tuple[str, str], Change]:
    """The copies in these changes, by their id and the id of the article that they are copies of."""
    _want(connection, [(event["id"], 1) for event in events if event["duplicate_of"] is not None])
    sql = f"SELECT id, duplicate_of, {COPY} FROM duplicates WHERE id IN (SELECT id FROM wanted)"
    return {(id_, first): copy for id_, first, copy in connection.execute(sql).fetchall()}


def _copies(connection: duckdb.DuckDBPyConnection, events: Sequence[Change]) -> Mapping[str, list[Change]]:
    """The copies of these articles, as they are now."""
    _want(connection, [(event["id"], 1) for event in events])
    rows = connection.execute(
        f"SELECT duplicate_of, list({COPY} ORDER BY id) FROM duplicates"
        " WHERE duplicate_of IN (SELECT id FROM wanted) GROUP BY ALL"
    ).fetchall()
    return dict(rows)


def _want(connection: duckdb.DuckDBPyConnection, keys: Sequence[tuple[str, int]]) -> None:
    ids, revisions = [key[0] for key in keys], [key[1] for key in keys]
    columns = {"id": pa.array(ids, pa.string()), "revision": pa.array(revisions, pa.int32())}
    connection.register("wanted", pa.table(columns))


def changes_behind(connection: duckdb.DuckDBPyConnection, cursor: int) -> int:
    """How many changes are behind a cursor."""
    row = connection.execute("SELECT count(*) FROM events WHERE seq > ?", [cursor]).fetchone()
    return int(row[0]) if row else 0


def newest_run_begins(connection: duckdb.DuckDBPyConnection) -> int:
    """The cursor before the changes of the newest run that changed anything; 0 if there is none."""
    sql = "SELECT min(seq) - 1 FROM events WHERE run_id = (SELECT run_id FROM events ORDER BY seq DESC LIMIT 1)"
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def teams_of(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, list[str]]:
    """The teams that each of these articles names now."""
    _want(connection, [(id_, 1) for id_ in ids])
    sql = "SELECT id, coalesce(teams, []) FROM articles WHERE id IN (SELECT id FROM wanted)"
    return dict(connection.execute(sql).fetchall())
