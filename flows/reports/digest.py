"""The digest of one Korean day: its stories, edits, deletions and articles by team, as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment

from flows.reports import text
from flows.reports.language import Language, words
from flows.reports.templates import templates
from schemas.article import SEOUL
from schemas.safe_text import escape_markdown
from storage.reading.reader import open_snapshot
from storage.reading.schema import check_schema

Row = dict[str, Any]

MOST = 50
"""Rows of each list."""

_STORIES = """
    WITH published AS (
        SELECT coalesce(m.story, a.id) AS story, a.id, a.title, a.publisher, a.published_at, a.url
        FROM articles_on_topic a LEFT JOIN story_members m USING (id)
        UNION ALL
        SELECT coalesce(m.story, a.id), d.id, d.title, d.publisher, d.published_at, d.url
        FROM duplicates d JOIN articles_on_topic a ON a.id = d.duplicate_of LEFT JOIN story_members m ON m.id = a.id
    ), stories AS (
        SELECT min_by(published, (published_at, id)) AS first, count(*) - 1 AS copies,
            count(DISTINCT publisher) AS publishers,
            date_diff('minute', min(published_at), max(published_at)) AS minutes
        FROM published WHERE published_at IS NOT NULL GROUP BY story
    )
    SELECT first.id, first.title, first.publisher, first.published_at, first.url, copies, publishers, minutes
    FROM stories WHERE first.published_at >= $since AND first.published_at < $until
    ORDER BY copies DESC, first.published_at, first.id
"""
_EDITS = """
    SELECT a.id, n.title, nullif(o.title, n.title) AS before, a.publisher, e.changed_at, a.url
    FROM events e JOIN articles_on_topic a USING (id) JOIN revisions n ON n.id = e.id AND n.revision = e.revision
        LEFT JOIN superseded o ON o.id = e.id AND o.revision = e.revision - 1
    WHERE e.kind = 'edited' AND e.changed_at >= $since AND e.changed_at < $until ORDER BY e.seq
"""
_GONE = """
    SELECT a.id, a.title, a.publisher, max(e.changed_at) AS gone_at, a.url
    FROM events e JOIN articles_on_topic a USING (id)
    WHERE e.kind = 'gone' AND e.changed_at >= $since AND e.changed_at < $until GROUP BY ALL ORDER BY gone_at, a.id
"""
_ARTICLES = """
    SELECT count(*) AS articles, count(DISTINCT publisher) AS publishers
    FROM articles_on_topic WHERE published_at >= $since AND published_at < $until
"""
_VOICES = """
    SELECT team, count(*) AS articles FROM (SELECT unnest(teams) AS team, published_at FROM articles_on_topic)
    WHERE published_at >= $since AND published_at < $until GROUP BY team ORDER BY articles DESC, team
"""

_WEEKDAYS = "월화수목금토일"


@dataclass(frozen=True, slots=True)
class Digest:
    """The facts of a Korean day. Rows are dictionaries by the columns of the queries.

    `stories` began on that day, the most copied first; `copies` counts all later articles of the story, `minutes` from
    its first to its last. `edits` and `gone` were noticed on that day. An article that mentions two teams counts for
    both in `voices`.
    """

    day: date
    title: str
    articles: int
    publishers: int
    stories: Sequence[Row]
    edits: Sequence[Row]
    gone: Sequence[Row]
    voices: Sequence[Row]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def yesterday() -> date:
    """The last Korean day that has ended."""
    return datetime.now(SEOUL).date() - timedelta(days=1)


def read_digest(archive: Path, day: date, *, title: str) -> Digest:
    """The facts of a day. `title`: what the archive is about. Raises BadInput, ArchiveDamaged."""
    since = datetime.combine(day, time(), SEOUL)
    span = {"since": since, "until": since + timedelta(days=1)}
    with open_snapshot(archive) as connection:
        check_schema(connection)
        stories, edits, gone, voices, counted = (
            _rows(connection, sql, span) for sql in (_STORIES, _EDITS, _GONE, _VOICES, _ARTICLES)
        )
    return Digest(day, title, **counted[0], stories=stories, edits=edits, gone=gone, voices=voices)


def _rows(connection: Any, sql: str, span: dict[str, datetime]) -> list[Row]:
    cursor = connection.execute(sql, span)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


# -- words


def subject(found: Digest, language: Language) -> str:
    """The title of the digest, and the subject of the mail."""
    weekday = _WEEKDAYS[found.day.weekday()] if language == "ko" else f"{found.day:%a}"
    return f"{found.title}: {words(language).t('Daily digest')} {found.day} ({weekday})"


def summary(found: Digest, language: Language) -> str:
    """The numbers of the day on one line."""
    n = words(language).n
    parts = (
        n("{} article", "{} articles", found.articles),
        n("{} publisher", "{} publishers", found.publishers),
        n("{} edit", "{} edits", len(found.edits)),
        n("{} deletion", "{} deletions", len(found.gone)),
    )
    return ", ".join(parts)


def _about_story(row: Row, language: Language) -> str:
    """Who was first and when, and who followed."""
    of = words(language)
    parts = [f"{row['publisher'] or of.t('unknown')} {_clock(row['published_at'])}"]
    if row["copies"]:
        parts += [of.n("copied once", "copied {} times", row["copies"])]
        parts += [of.n("{} publisher", "{} publishers", row["publishers"])]
        parts += [of.t("within {}").format(text.duration(row["minutes"], language))]
    return ", ".join(parts)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(SEOUL):%H:%M}"


# -- Markdown


def markdown(found: Digest, language: Language) -> str:
    """The digest as Markdown. Text from the web is escaped."""
    t = words(language).t
    voices = [
        [escape_markdown(row["team"]), f"{row['articles']:,}", text.share(row["articles"], found.articles)]
        for row in found.voices
    ]
    sections = {
        t("Stories"): _bullets([_story_line(row, language) for row in found.stories], language)
        or t("No article was published."),
        t("Articles by team"): text.table([t("Team"), t("Articles"), t("Share")], voices, right=2),
        t("Edited articles"): _bullets([_edit_line(row) for row in found.edits], language),
        t("Deleted articles"): _bullets([_line(row, row["gone_at"]) for row in found.gone], language),
    }
    head = f"# {escape_markdown(subject(found, language))}\n\n{summary(found, language)}"
    return text.document(head, sections)


def _story_line(row: Row, language: Language) -> str:
    return f"{text.link(row['title'] or row['id'], row['url'])}: {escape_markdown(_about_story(row, language))}"


def _edit_line(row: Row) -> str:
    before = f" ← {escape_markdown(row['before'])}" if row["before"] else ""
    return _line(row, row["changed_at"]) + before


def _line(row: Row, at: datetime) -> str:
    publisher = f"{escape_markdown(row['publisher'])} " if row["publisher"] else ""
    return f"{_clock(at)} {publisher}{text.link(row['title'] or row['id'], row['url'])}"


def _bullets(lines: Sequence[str], language: Language) -> str:
    more = [words(language).t("and {} more").format(f"{len(lines) - MOST:,}")] if len(lines) > MOST else []
    return "\n".join(f"- {line}" for line in [*lines[:MOST], *more])


# -- HTML


def html(found: Digest, language: Language) -> str:
    """The digest as one HTML page without scripts, styles of others or pictures, as mail programs show it."""
    return (
        _environment()
        .get_template("digest.html")
        .render(
            found=found,
            language=language,
            most=MOST,
            subject=subject(found, language),
            summary=summary(found, language),
            t=words(language).t,
            about=partial(_about_story, language=language),
        )
    )


@cache
def _environment() -> Environment:
    made = templates("flows.reports")
    made.filters |= {"clock": _clock, "share": text.share, "web": _web}
    return made


def _web(url: str | None) -> str | None:
    """An address of the web; None for any other, such as javascript:."""
    return url if url and url.startswith(("http://", "https://")) else None
