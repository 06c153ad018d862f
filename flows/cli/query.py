"""The command `show`. `flows.cli.app` registers it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.arguments import article_id
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption
from schemas.errors import BadInput

if TYPE_CHECKING:
    from flows.reports.history import Past


def show(
    article: Annotated[str, typer.Argument(metavar="ID", help="An id such as 119_0003042504, or an address.")],
    span: Annotated[
        str | None, typer.Argument(metavar="N..M", help="With --diff: these revisions (default: the last two).")
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    history: Annotated[bool, typer.Option("--history", help="List its revisions, and what each changed.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show word by word what a revision changed.")] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="Show it as it was at this Korean time.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show one article, its history, or what changed in it."""
    if sum((history, diff, as_of is not None)) > 1:
        raise BadInput("--history, --diff and --as-of show different things: give one of them.")
    if span is not None and not diff:
        raise BadInput(f"{span} names revisions to compare: it goes with --diff.")
    wanted = article_id(article)
    if history:
        _show_past(_past(archive, wanted), as_json=json)
    elif diff:
        _show_difference(_past(archive, wanted), span, as_json=json)
    elif as_of is not None:
        _show_fields(_past(archive, wanted).as_of(_moment(as_of)), as_json=json)
    else:
        _show_fields(_newest(archive, wanted), as_json=json)


def _show_fields(fields: Any, *, as_json: bool) -> None:
    from flows.cli.show.run import show_article
    from flows.cli.show.terminal import print_json
    from storage.reading.reader import HELD, SHOWN

    told = {name: fields[name] for name in (*SHOWN, *HELD) if name in fields}
    print_json(told) if as_json else show_article(fields)


def _show_past(past: Past, *, as_json: bool) -> None:
    from flows.cli.show.article import show_past
    from flows.cli.show.terminal import print_json

    print_json({"id": past.id, "history": list(past.steps)}) if as_json else show_past(past)


def _show_difference(past: Past, span: str | None, *, as_json: bool) -> None:
    from flows.cli.show.article import show_difference
    from flows.cli.show.terminal import print_json
    from flows.reports.history import compare

    before, after = past.change(span)
    fields = compare(before, after)
    numbers = (before["revision"], after["revision"])
    if as_json:
        print_json({"id": past.id, "from": numbers[0], "to": numbers[1], "fields": fields})
    else:
        show_difference(past, numbers, fields)


def _newest(archive: Path, wanted: str) -> Any:
    from storage.reading.reader import article, open_snapshot

    with open_snapshot(archive) as connection:
        fields = article(connection, wanted)
    if fields is None:
        raise BadInput(_why_not_there(archive, wanted))
    return fields


def _past(archive: Path, wanted: str) -> Past:
    from flows.reports.history import read_past

    past = read_past(archive, wanted)
    if past is None:
        raise BadInput(_why_not_there(archive, wanted))
    return past


def _why_not_there(archive: Path, wanted: str) -> str:
    from storage.reading.reader import duplicate_of, last_find, open_snapshot

    with open_snapshot(archive) as connection:
        first, find = duplicate_of(connection, wanted), last_find(connection, wanted)
    if first:
        return f"{wanted} bears the text of {first}: seogo show {first}"
    if find:
        return f"{wanted} was found and is not archived: {find[0]} ({find[1]})."
    return f"{wanted!r} is not in the archive, and no run has found it. An id looks like 119_0003042504."


def _moment(text: str) -> datetime:
    """A time as people write it, in Korean time where it names no zone; a day is its beginning. Raises BadInput."""
    from schemas.article import SEOUL

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--as-of {text!r} is no time: write 2025-12-28 or 2025-12-28T09:30.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SEOUL)
