"""What the first page and the status page show. Derived once from each snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flows.reports.history import word_diff
from flows.serving.content.rising import Rise, rising, words_of
from flows.serving.content.stories import Story, newest_stories
from flows.serving.content.subjects import MOST, Period, Subject, everything, latest_week
from schemas.errors import BadInput
from storage.reading.reader import status as read_status
from storage.reading.shared import Row, Snapshot

_TITLES = "SELECT coalesce(title, '') FROM articles_on_topic WHERE published_at >= ? AND published_at < ?"
_MODELS = """
    SELECT coalesce(list_distinct(list_transform(models, lambda one: one.model)), [])
    FROM articles_on_topic WHERE published_at >= ? AND published_at < ?
"""
_EDITS = f"""
    SELECT n.id, n.title, o.title AS before, n.publisher, n.crawled_at
    FROM revisions n JOIN superseded o ON o.id = n.id AND o.revision = n.revision - 1
    WHERE n.revision_kind = 'edited' AND n.title <> o.title AND n.crawled_at >= ?
    ORDER BY n.crawled_at DESC, n.id LIMIT {MOST}
"""
_GONE = f"""
    SELECT a.id, a.title, a.publisher, f.gone_at FROM frontier f JOIN articles a USING (id)
    WHERE f.gone_at >= ? ORDER BY f.gone_at DESC, a.id LIMIT {MOST}
"""
_RUNS = """
    SELECT run_id, command, started_at, finished_at, exit_reason, finds, requests,
        coalesce(receipt ->> '$.explanation', '') AS explanation
    FROM runs ORDER BY number DESC LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Today:
    """What the first page shows."""

    subject: Subject
    stories: Sequence[Story]
    words: Sequence[Rise]
    models: Sequence[Rise]
    edits: Sequence[Row]
    gone: Sequence[Row]
    last_run: Row | None
    gaps: int
    quarantined: int


def today(snapshot: Snapshot) -> Today:
    """What the first page shows."""
    return snapshot.kept("today", lambda: of_period(snapshot, latest_week(snapshot)))


def of_period(snapshot: Snapshot, period: Period) -> Today:
    """The same for other days."""
    now, before = (period.begin, period.end), (period.begin - timedelta(days=28), period.begin)
    gaps = snapshot.rows_of("coverage", "SELECT count(*) AS n FROM coverage WHERE state = 'gap'")
    quarantined = snapshot.rows_of("quarantine", "SELECT count(*) AS n FROM quarantine")
    return Today(
        everything(snapshot, period),
        newest_stories(snapshot, period.begin),
        rising(*(map(words_of, snapshot.stream(_TITLES, days)) for days in (now, before))),
        rising(*(snapshot.stream(_MODELS, days) for days in (now, before))),
        [{**row, "hunks": word_diff(row["before"], row["title"])} for row in snapshot.rows(_EDITS, [period.begin])],
        snapshot.rows(_GONE, [period.begin]),
        next(iter(snapshot.rows(_RUNS)), None),
        gaps[0]["n"] if gaps else 0,
        quarantined[0]["n"] if quarantined else 0,
    )


def state(snapshot: Snapshot, root: Path) -> dict[str, Any]:
    """What `seogo status` shows, and the last runs. Raises BadInput for an archive of an older version."""
    if not {"coverage", "quarantine"} <= snapshot.tables:
        raise BadInput("The archive was written by an older version, which knew no gaps. The next run updates it.")
    with snapshot.cursor() as cursor:
        found = read_status(cursor, root)
    quarantined = snapshot.rows_of(
        "quarantine", "SELECT id, url, reason, held_at FROM quarantine ORDER BY held_at DESC LIMIT 50"
    )
    return {**found, "held": quarantined, "recent": snapshot.rows(_RUNS)}
