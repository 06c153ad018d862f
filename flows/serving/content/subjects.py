"""What is written: all of it, of one team, by one publisher or one reporter. Derived once from each snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flows.serving.content.charts import Chart, colours, stacked
from flows.serving.content.following import Follow, followers_of, leaders_of
from flows.serving.content.stories import Story, stories_with
from schemas.article import SEOUL
from storage.reading.shared import Row, Snapshot

CHART_DAYS, FEWEST_DAYS = 28, 14
"""Days of a chart: as many as there are articles of, within these bounds."""
SHARE_WEEKS = 12
MOST = 12

_NEWEST_DAY = "SELECT max(published_at) AS newest FROM articles_on_topic WHERE published_at <= now()"
_BY_PERIOD = """
    SELECT CAST(date_trunc('{unit}', published_at AT TIME ZONE 'Asia/Seoul') AS DATE) AS day, team, count(*) AS articles
    FROM (
        SELECT published_at, unnest(teams) AS team FROM articles_on_topic
        WHERE published_at >= ? AND published_at < ? AND {which}
    ) GROUP BY ALL
"""
_COUNTS = """
    SELECT count(*) AS articles, count(DISTINCT publisher) AS publishers, min(published_at) AS first_at,
        max(published_at) AS last_at, count(*) FILTER (published_at >= ? AND published_at < ?) AS lately
    FROM articles_on_topic WHERE {which}
"""
_ARTICLES = f"""
    SELECT a.id, a.title, a.publisher, a.published_at, a.teams, f.gone_at, a.revision
    FROM articles_on_topic a LEFT JOIN frontier f USING (id) WHERE {{which}}
    ORDER BY a.published_at DESC NULLS LAST, a.id DESC LIMIT {MOST}
"""
_PUBLISHERS = f"""
    SELECT publisher, any_value(oid) AS oid, count(*) AS articles FROM articles_on_topic
    WHERE publisher IS NOT NULL AND {{which}} GROUP BY publisher ORDER BY articles DESC, publisher LIMIT {MOST}
"""
_ALL_PUBLISHERS = """
    SELECT any_value(publisher) AS publisher, oid, count(*) AS articles,
        count(*) FILTER (published_at >= ? AND published_at < ?) AS lately, max(published_at) AS last_at
    FROM articles_on_topic WHERE oid IS NOT NULL AND publisher IS NOT NULL
    GROUP BY oid ORDER BY articles DESC, publisher
"""
_TEAMS = """
    SELECT team, count(*) AS articles FROM (SELECT unnest(teams) AS team FROM articles_on_topic WHERE {which})
    GROUP BY team ORDER BY articles DESC, team
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
_BY_REPORTER = "oid = ? AND list_contains([author.name FOR author IN authors], ?)"


@dataclass(frozen=True, slots=True)
class Period:
    """Korean days, from the beginning of `first` to the end of `last`."""

    first: date
    last: date

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.first, time(), SEOUL)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), SEOUL)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything that is written, or what is written of one team or by one publisher or reporter.

    `chart`: articles a day by team. `shares`: of all mentions of teams, the percentage of each by week; None for less
    than two weeks. `leaders`, `followers`: publishers that this one follows, and those that follow it.
    """

    counts: Row
    period: Period
    chart: Chart
    shares: Chart | None
    articles: Sequence[Row]
    publishers: Sequence[Row]
    teams: Sequence[Row]
    models: Sequence[Row] = ()
    reporters: Sequence[Row] = ()
    stories: Sequence[Story] = ()
    leaders: Sequence[Follow] = ()
    followers: Sequence[Follow] = ()


def everything(snapshot: Snapshot, period: Period) -> Subject:
    """All articles."""
    return _subject(snapshot, "TRUE", [], period)


def team(snapshot: Snapshot, name: str) -> Subject | None:
    """What is written of a team; None if no article names it."""
    if name not in team_names(snapshot):
        return None
    return snapshot.kept(f"team {name}", lambda: _team(snapshot, name))


def publisher(snapshot: Snapshot, oid: str) -> tuple[str, Subject] | None:
    """Name of a press office, and what it wrote; None if the archive has nothing of it."""
    name = publisher_name(snapshot, oid)
    return None if name is None else (name, snapshot.kept(f"publisher {oid}", lambda: _publisher(snapshot, oid)))


def reporter(snapshot: Snapshot, oid: str, name: str) -> Subject | None:
    """What a person of a press office wrote; None if no byline names them."""
    found = _subject(snapshot, _BY_REPORTER, [oid, name], latest_week(snapshot))
    return found if found.counts["articles"] else None


def publisher_name(snapshot: Snapshot, oid: str) -> str | None:
    """The name of a press office; None if the archive has nothing of it."""
    row = snapshot.row("SELECT publisher FROM publishers WHERE oid = ? ORDER BY articles DESC", [oid])
    return None if row is None else row["publisher"] or oid


def all_publishers(snapshot: Snapshot) -> Sequence[Row]:
    """Each press office: its articles, and those of the last week."""
    week = latest_week(snapshot)
    return snapshot.kept("publishers", lambda: snapshot.rows(_ALL_PUBLISHERS, [week.begin, week.end]))


def team_names(snapshot: Snapshot) -> list[str]:
    """All teams that articles name."""
    rows = snapshot.kept("teams", lambda: snapshot.rows("SELECT DISTINCT team FROM teams ORDER BY team"))
    return [row["team"] for row in rows]


def latest_week(snapshot: Snapshot) -> Period:
    """The last seven days up to the newest article."""
    row = snapshot.row(_NEWEST_DAY)
    newest = row["newest"] if row and row["newest"] else datetime.now(SEOUL)
    last = newest.astimezone(SEOUL).date()
    return Period(last - timedelta(days=6), last)


def _team(snapshot: Snapshot, name: str) -> Subject:
    period = latest_week(snapshot)
    models = snapshot.rows(_MODELS, [name])
    return _subject(snapshot, "list_contains(teams, ?)", [name], period, team=name, models=models)


def _publisher(snapshot: Snapshot, oid: str) -> Subject:
    more: dict[str, Any] = {
        "reporters": snapshot.rows(_REPORTERS, [oid]),
        "leaders": leaders_of(snapshot, oid),
        "followers": followers_of(snapshot, oid),
    }
    return _subject(snapshot, "oid = ?", [oid], latest_week(snapshot), **more)


def _subject(
    snapshot: Snapshot,
    which: str,
    values: Sequence[object],
    period: Period,
    *,
    team: str | None = None,
    **more: Any,
) -> Subject:
    """`which`: a condition on articles_on_topic with these values. `team`: the only one that the charts show."""
    counted = snapshot.rows(_COUNTS.format(which=which), [period.begin, period.end, *values])[0]
    shown = {name: colour for name, colour in colours(team_names(snapshot)).items() if team in (None, name)}
    return Subject(
        counted,
        period,
        _daily(snapshot, which, values, _charted(period, counted["first_at"]), shown),
        _shares(snapshot, "TRUE" if team else which, [] if team else values, period.last, shown),
        snapshot.rows(_ARTICLES.format(which=which), values),
        snapshot.rows(_PUBLISHERS.format(which=which), values),
        snapshot.rows(_TEAMS.format(which=which), values),
        stories=stories_with(snapshot, which, values),
        **more,
    )


def _charted(period: Period, first_at: datetime | None) -> Period:
    age = (period.last - first_at.astimezone(SEOUL).date()).days + 1 if first_at else 0
    days = max(period.days, min(max(age, FEWEST_DAYS), CHART_DAYS))
    return Period(period.last - timedelta(days=days - 1), period.last)


def _daily(snapshot: Snapshot, which: str, values: Sequence[object], period: Period, shown: dict[str, int]) -> Chart:
    sql = _BY_PERIOD.format(unit="day", which=which)
    counts = {
        (row["day"], row["team"]): row["articles"] for row in snapshot.rows(sql, [period.begin, period.end, *values])
    }
    return stacked([period.first + timedelta(days=n) for n in range(period.days)], counts, shown)


def _shares(
    snapshot: Snapshot, which: str, values: Sequence[object], last: date, shown: dict[str, int]
) -> Chart | None:
    monday = last - timedelta(days=last.weekday())
    weeks = [monday - timedelta(weeks=n) for n in reversed(range(SHARE_WEEKS))]
    span = Period(weeks[0], last)
    rows = snapshot.rows(_BY_PERIOD.format(unit="week", which=which), [span.begin, span.end, *values])
    sums = {week: sum(row["articles"] for row in rows if row["day"] == week) for week in weeks}
    written = [week for week in weeks if sums[week]]
    if len(written) < 2:
        return None
    percent = {(row["day"], row["team"]): 100 * row["articles"] / sums[row["day"]] for row in rows}
    return stacked(weeks[weeks.index(written[0]) :], percent, shown, unit=" %")
