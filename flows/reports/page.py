"""The report as one HTML page that needs no network: charts by Vega-Lite, which it holds, and all articles."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from flows.reports import charts as report_charts
from flows.reports.article_table import listing
from flows.reports.facts import Asked, Facts, Row, asking, facts_of
from flows.reports.markdown import checked, moment, number, seconds, share, size
from schemas.article import SEOUL
from schemas.errors import BadInput, StorageFault
from storage.files import own_part, replacing

_GOOD = ("done", "nothing_new")
_BARS = 12
_MOST_ROWS = 100
_PERIODS = (("day", timedelta(days=45)), ("week", timedelta(days=366)), ("month", timedelta(days=36600)))
"""How long a time is told by days, by weeks, by months."""


def write_page(archive: Path, file: Path, *, days: int = 7, now: datetime | None = None) -> int:
    """Write the page to `file`, whole or not at all. Returns its bytes.

    Raises BadInput, ArchiveDamaged, StorageFault.
    """
    own = archive.absolute()
    if file.absolute().is_relative_to(own) and not file.absolute().is_relative_to(own / "exports"):
        raise BadInput(f"{file} lies in the archive itself: choose a file elsewhere, or in {archive / 'exports'}.")
    moment_of_it = now or datetime.now(UTC)
    with asking(archive, days=checked(days), now=moment_of_it) as asked:
        found, trend, every = facts_of(archive, asked), voices_over_time(asked), listing(asked)
    way = quote(os.path.relpath(archive.absolute(), file.absolute().parent))
    data = page(found, trend, every, way, charts_library()).encode()
    try:
        with replacing(file, beside=own_part(file)) as part:
            part.write_bytes(data)
    except OSError as error:
        raise StorageFault(f"{file} cannot be written: {error.strerror}. Choose another with --html FILE.") from error
    return len(data)


def charts_library() -> str:
    """Vega, Vega-Lite and vega-embed as one script. Raises BadInput where the package that holds them is missing."""
    try:
        converter = importlib.import_module("vl_convert")
    except ModuleNotFoundError as error:
        raise BadInput(
            "the page's charts are drawn by Vega-Lite, which is not installed: pip install vl-convert-python."
        ) from error
    return str(converter.javascript_bundle())


def voices_over_time(asked: Asked) -> list[Row]:
    """How many articles of each day, week or month (told by its first day) speak of each team, oldest first."""
    ((first, last),) = asked.stream(
        "SELECT min(published_at), max(published_at) FROM articles_on_topic WHERE len(teams) > 0"
    )
    if first is None:
        return []
    unit = next(unit for unit, longest in _PERIODS if last - first <= longest)
    return asked.rows(
        f"SELECT date_trunc('{unit}', published_at AT TIME ZONE 'Asia/Seoul')::DATE AS period, team,"
        " count(*) AS articles FROM (SELECT published_at, unnest(teams) AS team FROM articles_on_topic)"
        " WHERE published_at IS NOT NULL GROUP BY ALL ORDER BY period, team"
    )


def page(found: Facts, trend: Sequence[Row], every: Mapping[str, Any], way: str, library: str) -> str:
    """The page. `way`: from its folder to the archive, as a relative address. `library`: a script with vegaEmbed."""
    first = found.since.astimezone(SEOUL).date()
    charts = {
        "daily": report_charts.daily(found.daily, [first + timedelta(days=n) for n in range(found.days)]),
        "voices": report_charts.voices(trend),
        "publishers": report_charts.publishers(found.publishers[:_BARS]),
    }
    return Template(_asset("page.html")).substitute(
        title=escape(f"{found.days} days of {found.archive}"),
        style=_asset("page.css"),
        facts="".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in _figures(found).items()),
        sections="".join(_section(*one) for one in _sections(found, way)),
        charts=embedded(charts),
        listing=embedded({**every, "way": way}),
        library=library.replace("</script", "<\\/script").replace("<!--", "<\\!--"),
        script=_asset("page.js"),
    )


def embedded(value: Any) -> str:
    """A value as JSON that may stand inside of a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: date) -> str:
    return value.isoformat()


def _asset(name: str) -> str:
    return resources.files("flows.reports").joinpath("assets", name).read_text("utf-8")


# -- what stands above and between the charts


def _figures(found: Facts) -> dict[str, str]:
    """The first thing to see: names and values, as HTML."""
    last = found.last_runs[0] if found.last_runs else None
    gaps, held = ("?" if rows is None else f"{len(rows):,}" for rows in (found.gaps, found.held))
    return {
        "articles": f"{found.articles:,}",
        f"new in {found.days} days": f"{sum(row['articles'] for row in found.daily if row['outcome'] == 'new'):,}",
        "last run": _ended(last["ended"]) if last else "none",
        "gaps": gaps,
        "in quarantine": held,
        "to be tried again": f"{sum(found.waiting.values()):,}",
        "on the disk": size(sum(held for _, held in found.sizes.values())),
        "as of": f"{moment(found.as_of)} KST",
    }


def _sections(found: Facts, way: str) -> Iterator[tuple[str, str, str, list[list[str]] | None]]:
    """Anchor, title, names of columns and rows of HTML of each table; no rows at all where they cannot be known."""
    yield (
        "newest",
        "Newest articles",
        "published, article, publisher, file",
        [
            [moment(row["published_at"]), _linked(row), _korean(row["publisher"]), _file(row, way)]
            for row in found.newest
        ],
    )
    yield (
        "edits",
        "Edits",
        "seen, article, what changed, file",
        [[moment(row["crawled_at"]), _linked(row), _before(row), _file(row, way)] for row in found.edits],
    )
    yield (
        "gone",
        "Deletions",
        "seen, article, notice, file",
        [
            [moment(row["seen_at"]), _linked(row), _korean(row["reason"]), _file(row, way) or "was never archived"]
            for row in found.gone
        ],
    )
    yield (
        "gaps",
        "Coverage gaps",
        "source, from, to, reason",
        _known(
            found.gaps and found.gaps[:_MOST_ROWS],
            lambda row: [_korean(row["source"]), moment(row["since"]), moment(row["until"]), _korean(row["reason"])],
        ),
    )
    yield (
        "held",
        "Quarantine",
        "held, article, reason",
        _known(
            found.held and found.held[:_MOST_ROWS],
            lambda row: [moment(row["held_at"]), _link(row["id"], row["url"]), _korean(row["reason"])],
        ),
    )
    yield (
        "runs",
        "Health of the last runs",
        "begun, command, ended, finds, requests, received, took, why",
        [
            [
                *(moment(row["started_at"]), escape(row["command"]), _ended(row["ended"]), number(row["finds"])),
                *(number(row["requests"]), size(row["bytes"]), seconds(row["seconds"]), _korean(row["explanation"])),
            ]
            for row in found.last_runs
        ],
    )
    yield "share", "Share of voice", f"team, {found.days} days, share, ever, share of all", _shares(found)


def _known(rows: Sequence[Row] | None, cells: Callable[[Row], list[str]]) -> list[list[str]] | None:
    return None if rows is None else [cells(row) for row in rows]


def _shares(found: Facts) -> list[list[str]]:
    lately, ever = (sum(row[name] for row in found.voices) for name in ("lately", "ever"))
    return [
        [_korean(row["team"]), number(row["lately"]), share(row["lately"], lately), number(row["ever"]),
         share(row["ever"], ever)]
        for row in found.voices
    ]  # fmt: skip


def _section(anchor: str, title: str, names: str, rows: Sequence[Sequence[str]] | None) -> str:
    if not rows:
        said = "Not known: this database is from before this was noted." if rows is None else "None."
        return f"<section id={anchor}><h2>{escape(title)}</h2><p class=none>{said}</p></section>"
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in names.split(", "))
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<section id={anchor}><h2>{escape(title)}</h2><div class=wide>{table}</div></section>"


def _linked(row: Row) -> str:
    return _link(row["title"] or row["id"], row["url"])


def _link(text: str, url: str | None) -> str:
    if not (url or "").startswith(("https://", "http://")):
        return _korean(text)
    return f'<a lang=ko href="{escape(url or "")}" rel="noreferrer">{escape(text)}</a>'


def _file(row: Row, way: str) -> str:
    if not row["file"]:
        return ""
    return f'<a href="{escape(way)}/{quote(row["file"])}">file</a>'


def _before(row: Row) -> str:
    if row["before"] is None or row["before"] == row["title"]:
        return "the text"
    return f"the title, before: {_korean(row['before'])}"


def _korean(text: str | None) -> str:
    return f"<span lang=ko>{escape(text)}</span>" if text else ""


def _ended(reason: str) -> str:
    return f"<b class={'good' if reason in _GOOD else 'bad'}>{escape(reason)}</b>"
