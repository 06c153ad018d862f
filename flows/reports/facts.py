"""The facts of a report, read once from the readers' database and from the disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.article import SEOUL
from schemas.coverage import Gap, grouped
from schemas.errors import ArchiveDamaged, BadInput
from storage.reading.reader import open_snapshot
from storage.state.last_verify import LastVerify, last

MOST = 20
"""Rows of a list that may be long."""

_LONGEST = 3650
PARTS = ("archive.duckdb", "articles", "captures", "exports", "state")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a report. Rows are dictionaries by the columns of the queries below, newest first.

    `since` to `now` is the time reported, in whole Korean days. `newest`: stories by their first article, with the
    number of its copies; an article without copies is one, too, and so is each in a database without stories. `gaps`
    and `held` are None if the database is from a version that had no such tables. `sizes`: part of the archive -> files
    and bytes. `verified` is a message if its file is damaged.
    """

    archive: str
    now: datetime
    since: datetime
    as_of: datetime
    articles: int
    waiting: dict[str, int]
    daily: list[Row]
    runs: list[Row]
    last_runs: list[Row]
    newest: list[Row]
    edits: list[Row]
    gone: list[Row]
    voices: list[Row]
    publishers: list[Row]
    gaps: list[Row] | None
    held: list[Row] | None
    sizes: dict[str, tuple[int, int]]
    verified: LastVerify | str | None

    @property
    def days(self) -> int:
        return (self.now.astimezone(SEOUL).date() - self.since.astimezone(SEOUL).date()).days + 1


_DAILY = """
    SELECT strftime(seen_at AT TIME ZONE 'Asia/Seoul', '%Y-%m-%d') AS day, outcome, count(DISTINCT id) AS articles
    FROM finds WHERE seen_at >= $since AND seen_at <= $now GROUP BY ALL ORDER BY day DESC, outcome
"""
_RUNS = """
    SELECT command, coalesce(exit_reason, 'unfinished') AS ended, count(*) AS runs, sum(requests) AS requests,
        sum(bytes) AS bytes, max(epoch(finished_at) - epoch(started_at)) AS longest
    FROM runs WHERE started_at >= $since AND started_at <= $now GROUP BY ALL ORDER BY command, runs DESC, ended
"""
_LAST_RUNS = f"""
    SELECT run_id, command, started_at, epoch(finished_at) - epoch(started_at) AS seconds,
        coalesce(exit_reason, 'unfinished') AS ended, finds, requests, bytes,
        coalesce(receipt ->> '$.explanation', '') AS explanation
    FROM runs ORDER BY started_at DESC, run_id DESC LIMIT {MOST}
"""
_NEWEST = f"""
    WITH shown AS (
        SELECT a.id, title, publisher, published_at, url, file, status, coalesce(m.story, a.id) AS story,
            1 + coalesce(d.copies, 0) AS publications
        FROM articles_on_topic a LEFT JOIN story_members m USING (id)
            LEFT JOIN (SELECT duplicate_of AS id, count(*) AS copies FROM duplicates GROUP BY ALL) d USING (id)
        WHERE published_at <= $now
    )
    SELECT id, title, publisher, published_at, url, file, status,
        sum(publications) OVER (PARTITION BY story) - 1 AS copies
    FROM shown QUALIFY row_number() OVER (PARTITION BY story ORDER BY published_at, id) = 1
    ORDER BY published_at DESC, id DESC LIMIT {MOST}
"""
_NEWEST_ALONE = f"""
    SELECT id, title, publisher, published_at, url, file, status, 0 AS copies FROM articles_on_topic
    WHERE published_at <= $now
    ORDER BY published_at DESC, id DESC LIMIT {MOST}
"""
_EDITS = f"""
    SELECT n.id, n.title, o.title AS before, n.publisher, n.crawled_at, n.url, n.file
    FROM revisions n LEFT JOIN superseded o ON o.id = n.id AND o.revision = n.revision - 1
    WHERE n.revision_kind = 'edited' AND n.crawled_at >= $since AND n.crawled_at <= $now
    ORDER BY n.crawled_at DESC, n.id LIMIT {MOST}
"""
_GONE = f"""
    SELECT f.id, coalesce(a.title, max(f.title)) AS title, a.publisher, a.url, a.file,
        max(f.seen_at) AS seen_at, arg_max(f.reason, f.seen_at) AS reason
    FROM finds f LEFT JOIN articles a USING (id)
    WHERE f.outcome = 'gone' AND f.seen_at >= $since AND f.seen_at <= $now
    GROUP BY f.id, a.title, a.publisher, a.url, a.file ORDER BY seen_at DESC, f.id LIMIT {MOST}
"""
_VOICES = """
    SELECT team, count(*) FILTER (published_at >= $since AND published_at <= $now) AS lately, count(*) AS ever
    FROM (SELECT unnest(teams) AS team, published_at FROM articles_on_topic)
    GROUP BY team ORDER BY lately DESC, ever DESC, team
"""
_PUBLISHERS = f"""
    SELECT publisher, count(*) AS articles FROM articles_on_topic
    WHERE published_at >= $since AND published_at <= $now AND publisher IS NOT NULL
    GROUP BY publisher ORDER BY articles DESC, publisher LIMIT {MOST}
"""
_GAPS = """
    SELECT source, since, until, reason FROM coverage WHERE state = 'gap' ORDER BY since DESC, source
"""
_HELD = "SELECT id, url, reason, held_at FROM quarantine ORDER BY held_at DESC, id"
_WAITING = "SELECT state, count(*) AS finds FROM frontier WHERE due_at IS NOT NULL GROUP BY ALL ORDER BY ALL"


class PeriodReader:
    """Runs queries about a period, which may use the parameters `$since` and `$now`."""

    def __init__(self, connection: Any, since: datetime, now: datetime) -> None:
        self.since, self.now = since, now
        self._connection = connection
        self._tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}

    def rows(self, sql: str) -> list[Row]:
        """The rows as dictionaries."""
        parameters = {name: moment for name, moment in (("since", self.since), ("now", self.now)) if f"${name}" in sql}
        cursor = self._connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def rows_of(self, table: str, sql: str) -> list[Row] | None:
        """The same; None if the database has no such table."""
        return self.rows(sql) if self.has(table) else None

    def has(self, table: str) -> bool:
        """Whether the database has such a table: an older version may have written it."""
        return table in self._tables

    def number(self, sql: str) -> int:
        """A count."""
        ((count,),) = self._connection.execute(sql).fetchall()
        return int(count)


def since_of(days: int, now: datetime) -> datetime:
    """The beginning of the last `days` Korean days, including today."""
    today = now.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def facts(archive: Path, *, days: int = 7, now: datetime | None = None) -> Facts:
    """The facts of the last `days` Korean days, including today. Raises BadInput, ArchiveDamaged."""
    if not 1 <= days <= _LONGEST:
        raise BadInput(f"a report covers 1 to {_LONGEST} days (given {days}).")
    now = now or datetime.now(UTC)
    with open_snapshot(archive) as connection:
        return _facts_of(archive, PeriodReader(connection, since_of(days, now), now))


def _facts_of(archive: Path, reader: PeriodReader) -> Facts:
    """The facts of an archive whose database is open."""
    return Facts(
        archive=str(archive),
        now=reader.now,
        since=reader.since,
        as_of=datetime.fromtimestamp((archive / "archive.duckdb").stat().st_mtime, UTC),
        articles=reader.number("SELECT count(*) FROM articles_on_topic"),
        waiting={row["state"]: row["finds"] for row in reader.rows(_WAITING)},
        daily=reader.rows(_DAILY),
        runs=reader.rows(_RUNS),
        last_runs=reader.rows(_LAST_RUNS),
        newest=reader.rows(_NEWEST if reader.has("story_members") else _NEWEST_ALONE),
        edits=reader.rows(_EDITS),
        gone=reader.rows(_GONE),
        voices=reader.rows(_VOICES),
        publishers=reader.rows(_PUBLISHERS),
        gaps=_grouped(reader.rows_of("coverage", _GAPS)),
        held=reader.rows_of("quarantine", _HELD),
        sizes={part: _size(archive / part) for part in PARTS if (archive / part).exists()},
        verified=_verified(archive),
    )


def outcomes_by_day(daily: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Day -> outcome -> articles, in the order of the rows."""
    found: dict[str, dict[str, int]] = {}
    for row in daily:
        found.setdefault(row["day"], {})[row["outcome"]] = row["articles"]
    return found


def _grouped(rows: list[Row] | None) -> list[Row] | None:
    """Gaps, those that robots.txt forbids as one row for each robots.txt."""
    return None if rows is None else [asdict(gap) for gap in grouped(Gap(**row) for row in rows)]


def _size(path: Path) -> tuple[int, int]:
    """Number and bytes of the files at or below a path. A file that is removed meanwhile does not count."""
    if path.is_file():
        return 1, path.stat().st_size
    files = size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                size += os.lstat(f"{folder}/{name}").st_size  # a Path object each would be slower
                files += 1
            except FileNotFoundError:
                continue
    return files, size


def _verified(archive: Path) -> LastVerify | str | None:
    try:
        return last(archive)
    except ArchiveDamaged as error:
        return str(error)
