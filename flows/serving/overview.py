"""What the pages of the archive, of a team and of a publisher tell. Derived once from each snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from flows.reports.history import word_diff
from flows.serving.charts import Chart, colours, daily
from flows.serving.rising import Rise, rising
from flows.serving.stories import Story, newest_stories
from schemas.article import SEOUL
from storage.reading.reader import status as read_status
from storage.reading.shared import Row, Snapshot

CHART_DAYS, FEWEST_DAYS = 28, 14
"""Days of a chart: as many as there are articles of, within these bounds."""
MOST = 12

_NEWEST_DAY = "SELECT max(published_at) AS newest FROM articles_on_topic WHERE published_at <= now()"
_DAILY = """
    SELECT CAST(published_at AT TIME ZONE 'Asia/Seoul' AS DATE) AS day, team, count(*) AS articles
    FROM (SELECT published_at, oid, unnest(teams) AS team FROM articles_on_topic)
    WHERE published_at >= ? AND published_at < ? AND {which} GROUP BY ALL
"""
_TITLES = "SELECT title FROM articles_on_topic WHERE title IS NOT NULL AND published_at >= ? AND published_at < ?"
_COUNTS = """
    SELECT count(*) AS articles, count(DISTINCT publisher) AS publishers, min(published_at) AS first_at,
        max(published_at) AS last_at, count(*) FILTER (published_at >= ? AND published_at < ?) AS lately
    FROM articles_on_topic WHERE {which}
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
_ARTICLES = """
    SELECT a.id, a.title, a.publisher, a.published_at, a.teams, f.gone_at, a.revision
    FROM articles_on_topic a LEFT JOIN frontier f USING (id) WHERE {which}
    ORDER BY a.published_at DESC NULLS LAST, a.id DESC LIMIT 12
"""
_PUBLISHERS = f"""
    SELECT publisher, any_value(oid) AS oid, count(*) AS articles FROM articles_on_topic
    WHERE publisher IS NOT NULL AND {{which}} GROUP BY publisher ORDER BY articles DESC, publisher LIMIT {MOST}
"""
_TEAMS = """
    SELECT team, count(*) AS articles FROM (SELECT unnest(teams) AS team, oid, teams FROM articles_on_topic)
    WHERE {which} GROUP BY team ORDER BY articles DESC, team
"""
_MODELS = f"""
    SELECT m.model AS model, count(*) AS articles
    FROM (SELECT unnest(models) AS m FROM articles_on_topic WHERE models IS NOT NULL)
    WHERE m.team = ? GROUP BY ALL ORDER BY articles DESC, model LIMIT {MOST}
"""
_REPORTERS = f"""
    SELECT author.name AS name, count(*) AS articles
    FROM (SELECT unnest(authors) AS author FROM articles_on_topic WHERE oid = ?)
    WHERE author.name IS NOT NULL GROUP BY ALL ORDER BY articles DESC, name LIMIT {MOST}
"""
_RUNS = """
    SELECT run_id, command, started_at, finished_at, exit_reason, finds, requests,
        coalesce(receipt ->> '$.explanation', '') AS explanation
    FROM runs ORDER BY number DESC LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Week:
    """The last seven Korean days up to the newest article: from the beginning of `first` to the end of `last`."""

    first: date
    last: date

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.first, time(), SEOUL)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), SEOUL)


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything that is written, or what is written of one team or by one publisher."""

    counts: Row
    week: Week
    chart: Chart
    articles: Sequence[Row]
    publishers: Sequence[Row]
    teams: Sequence[Row]
    models: Sequence[Row] = ()
    reporters: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Today:
    """What the first page shows besides."""

    subject: Subject
    stories: Sequence[Story]
    words: Sequence[Rise]
    compared: bool
    edits: Sequence[Row]
    gone: Sequence[Row]
    last_run: Row | None
    gaps: int
    quarantined: int


def today(snapshot: Snapshot) -> Today:
    """What the first page shows."""
    return snapshot.kept("today", lambda: _today(snapshot))


def team(snapshot: Snapshot, name: str) -> Subject | None:
    """What is written of a team; None if no article names it."""
    if name not in team_names(snapshot):
        return None
    return snapshot.kept(f"team {name}", lambda: _team(snapshot, name))


def publisher(snapshot: Snapshot, oid: str) -> tuple[str, Subject] | None:
    """Name of a press office, and what it wrote; None if the archive has nothing of it."""
    row = snapshot.row("SELECT publisher FROM publishers WHERE oid = ? ORDER BY articles DESC", [oid])
    if row is None:
        return None
    return row["publisher"] or oid, snapshot.kept(f"publisher {oid}", lambda: _publisher(snapshot, oid))


def team_names(snapshot: Snapshot) -> list[str]:
    """All teams that articles name."""
    rows = snapshot.kept("teams", lambda: snapshot.rows("SELECT DISTINCT team FROM teams ORDER BY team"))
    return [row["team"] for row in rows]


def state(snapshot: Snapshot, root: Path) -> dict[str, Any]:
    """What `seogo status` tells, and the last runs."""
    with snapshot.cursor() as cursor:
        found = read_status(cursor, root)
    quarantined = snapshot.rows_of(
        "quarantine", "SELECT id, url, reason, held_at FROM quarantine ORDER BY held_at DESC LIMIT 50"
    )
    return {**found, "held": quarantined, "recent": snapshot.rows(_RUNS)}


def _week(snapshot: Snapshot) -> Week:
    row = snapshot.row(_NEWEST_DAY)
    newest = row["newest"] if row and row["newest"] else datetime.now(SEOUL)
    last = newest.astimezone(SEOUL).date()
    return Week(last - timedelta(days=6), last)


def _subject(snapshot: Snapshot, which: str, values: Sequence[object], **more: Sequence[Row]) -> Subject:
    """`which`: a condition on articles_on_topic with these values."""
    week = _week(snapshot)
    counted = snapshot.rows(_COUNTS.format(which=which), [week.begin, week.end, *values])[0]
    first = week.last - timedelta(days=_days(counted["first_at"], week.last) - 1)
    span = [datetime.combine(first, time(), SEOUL), week.end]
    of_team = "list_contains" in which
    rows = snapshot.rows(_DAILY.format(which="team = ?" if of_team else which), [*span, *values])
    counts = {(row["day"], row["team"]): row["articles"] for row in rows}
    teams = snapshot.rows(_TEAMS.format(which=which), values)
    return Subject(
        counted,
        week,
        daily(counts, first, week.last, _shown(snapshot, values if of_team else [])),
        snapshot.rows(_ARTICLES.format(which=which), values),
        snapshot.rows(_PUBLISHERS.format(which=which), values),
        teams,
        **more,
    )


def _days(first_at: datetime | None, last: date) -> int:
    age = (last - first_at.astimezone(SEOUL).date()).days + 1 if first_at else 0
    return min(max(age, FEWEST_DAYS), CHART_DAYS)


def _shown(snapshot: Snapshot, teams: Sequence[object]) -> dict[str, int]:
    """The colours of the teams; of these alone where some are given."""
    return {name: colour for name, colour in colours(team_names(snapshot)).items() if not teams or name in teams}


def _team(snapshot: Snapshot, name: str) -> Subject:
    return _subject(snapshot, "list_contains(teams, ?)", [name], models=snapshot.rows(_MODELS, [name]))


def _publisher(snapshot: Snapshot, oid: str) -> Subject:
    return _subject(snapshot, "oid = ?", [oid], reporters=snapshot.rows(_REPORTERS, [oid]))


def _today(snapshot: Snapshot) -> Today:
    subject = _subject(snapshot, "TRUE", [])
    week = subject.week
    before = week.begin - timedelta(days=28)
    titles = [row["title"] for row in snapshot.rows(_TITLES, [week.begin, week.end])]
    past = [row["title"] for row in snapshot.rows(_TITLES, [before, week.begin])]
    gaps = snapshot.rows_of("coverage", "SELECT count(*) AS n FROM coverage WHERE state = 'gap'")
    quarantined = snapshot.rows_of("quarantine", "SELECT count(*) AS n FROM quarantine")
    return Today(
        subject,
        newest_stories(snapshot, week.begin),
        rising(titles, past),
        bool(past),
        [{**row, "hunks": word_diff(row["before"], row["title"])} for row in snapshot.rows(_EDITS, [week.begin])],
        snapshot.rows(_GONE, [week.begin]),
        next(iter(snapshot.rows(_RUNS)), None),
        gaps[0]["n"] if gaps else 0,
        quarantined[0]["n"] if quarantined else 0,
    )
