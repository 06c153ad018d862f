"""The report as one HTML page that needs no network: charts by Vega-Lite, which it contains, and all articles."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment

from flows.reports import charts, text
from flows.reports.article_table import listing
from flows.reports.facts import Asked, Facts, Row, asking, facts_of
from flows.reports.templates import templates
from schemas.article import SEOUL
from schemas.errors import BadInput, StorageFault
from storage.files import own_part, replacing

_BARS = 12
_PERIODS = (("day", timedelta(days=45)), ("week", timedelta(days=366)), ("month", timedelta(days=36600)))
"""The unit in which a time is shown, and the longest time for it."""


def write_page(archive: Path, file: Path, *, days: int = 7, now: datetime | None = None) -> int:
    """Write the page to `file`, whole or not at all. Returns its size in bytes.

    Raises BadInput, ArchiveDamaged, StorageFault.
    """
    own = archive.absolute()
    if file.absolute().is_relative_to(own) and not file.absolute().is_relative_to(own / "exports"):
        raise BadInput(f"{file} is inside the archive: choose a file elsewhere, or in {archive / 'exports'}.")
    with asking(archive, days=days, now=now) as asked:
        found, trend, every = facts_of(archive, asked), voices_over_time(asked), listing(asked)
    way = quote(os.path.relpath(own, file.absolute().parent))
    data = page(found, trend, every, way, charts_library()).encode()
    try:
        with replacing(file, beside=own_part(file)) as part:
            part.write_bytes(data)
    except OSError as error:
        raise StorageFault(f"{file} cannot be written: {error.strerror}. Choose another with --html FILE.") from error
    return len(data)


def charts_library() -> str:
    """Vega, Vega-Lite and vega-embed as one script. Raises BadInput if the package that contains them is missing."""
    try:
        converter = importlib.import_module("vl_convert")
    except ModuleNotFoundError as error:
        raise BadInput(
            "the charts of the page need Vega-Lite, which is not installed: pip install vl-convert-python."
        ) from error
    return str(converter.javascript_bundle())


def voices_over_time(asked: Asked) -> list[Row]:
    """How many articles mention each team, by day, week or month (as its first day), oldest first."""
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
    """The page. `way`: the archive as an address relative to the page. `library`: a script that defines vegaEmbed."""
    first = found.since.astimezone(SEOUL).date()
    drawn = {
        "daily": charts.daily(found.daily, [first + timedelta(days=n) for n in range(found.days)]),
        "voices": charts.voices(trend),
        "publishers": charts.publishers(found.publishers[:_BARS]),
    }
    return (
        environment()
        .get_template("page.html")
        .render(
            found=found,
            way=way,
            charts=drawn,
            listing={**every, "way": way},
            style=_asset("page.css"),
            script=_asset("page.js"),
            library=library.replace("</script", "<\\/script").replace("<!--", "<\\!--"),
        )
    )


@cache
def environment() -> Environment:
    """The templates of the page, which escape every value, and the filters that they use."""
    made = templates("flows.reports")
    made.filters |= {one.__name__: one for one in (text.moment, text.number, text.seconds, text.share, text.size)}
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":"), "default": str}
    return made


def _asset(name: str) -> str:
    return resources.files("flows.reports").joinpath("assets", name).read_text("utf-8")
