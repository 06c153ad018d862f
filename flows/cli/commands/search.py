"""The command `search`. `flows.cli.app` registers it."""

from __future__ import annotations

import sys
from datetime import datetime, time, timedelta
from typing import Annotated

import typer

from flows.cli.arguments import day_from
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, choice, whole
from schemas.errors import BadInput

FORMATS = ("table", "csv", "json", "parquet")
STATUSES = ("archived", "listed", "imported", "gone")
SORTS = ("relevance", "newest")
_MANY = 5_000
"""From so many changes on, progress is shown: indexing takes some seconds."""


def search(  # noqa: PLR0913, PLR0917 — each option is a parameter
    query: Annotated[
        list[str], typer.Argument(metavar="QUERY", help="What to look for. After --, it may begin with -.")
    ],
    team: Annotated[
        str | None, typer.Option("--team", metavar="NAME", help="Only articles that name this team.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Only articles that name this model.")
    ] = None,
    publisher: Annotated[
        str | None, typer.Option("--publisher", metavar="NAME", help="Only articles of this publisher.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="From this Korean day on, such as 2025-12-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Up to this day, included.")] = None,
    status: Annotated[str | None, choice("--status", STATUSES, "Only of this status.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also imported and off-topic articles.")] = False,
    sort: Annotated[str, choice("--sort", SORTS, "What comes first.")] = "relevance",
    limit: Annotated[
        int, typer.Option("--limit", parser=whole(0), metavar="N", help="Show at most this many; 0 shows all.")
    ] = 20,
    form: Annotated[str, choice("--format", FORMATS, "How to give the hits.")] = "table",
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    json: JsonOption = False,
) -> None:
    """Search the texts. Works at any time, even while a crawl is writing.

    Words are found inside compounds and before particles, with spaces or without. "A phrase", OR, NOT or -word,
    parentheses, title:word. --format parquet goes to a file: seogo search … --format parquet > hits.parquet
    """
    from flows.cli.show.search import check_output, give
    from storage.search.query import parse
    from storage.search.results import SearchRequest
    from storage.search.results import search as look_for

    form = "json" if json else form
    check_output(form)
    since, until = _period(first, last)
    words = parse(" ".join(query))
    request = SearchRequest(words, team, publisher, since, until, status, everything, sort, limit, model=model)
    found = look_for(archive, request, on_progress=_show_progress)
    if found.note:
        print(f"seogo: {found.note}", file=sys.stderr)  # noqa: T201
    give(found, form)


def _period(first: str | None, last: str | None) -> tuple[int | None, int | None]:
    """From the beginning of one Korean day to the end of another, in seconds since 1970. Raises BadInput."""
    from schemas.article import SEOUL

    begin, end = (day_from(text) if text else None for text in (first, last))
    if begin and end and begin > end:
        raise BadInput(f"--from {begin} is after --to {end}: give the earlier day first.")
    since, until = (
        int(datetime.combine(day, time(), SEOUL).timestamp()) if day else None
        for day in (begin, end and end + timedelta(days=1))
    )
    return since, until


def _show_progress(done: int, total: int) -> None:
    if total >= _MANY:
        print(f"seogo: search index: {done:,} of {total:,} changes", file=sys.stderr)  # noqa: T201
