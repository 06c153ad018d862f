"""The commands that answer questions about an archive: status, show, sql."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.arguments import article_id, text_of, time_from
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, choice, completing
from flows.cli.run_here import finish
from schemas.errors import BadInput, StorageFault

if TYPE_CHECKING:
    from flows.reports.history import History


def _example_names(incomplete: str) -> list[str]:
    from storage.reading.examples import names

    return completing(names())(incomplete)


SQL_FORMATS = ("table", "csv", "json", "parquet")


def status(archive: ArchiveOption = DEFAULT_ARCHIVE, json: JsonOption = False) -> None:
    """Show what the archive holds, and how the last run ended.

    Also how far each source was read, the gaps in coverage, and what is waiting to be tried again.
    """
    from flows.cli.show.archive import show_status
    from storage.reading.reader import open_snapshot
    from storage.reading.reader import status as read_status

    with open_snapshot(archive) as connection:
        found = read_status(connection, archive)
    found |= _writer(archive) | _webhooks(archive) | _schedule()
    finish(found, show_status, as_json=json)


def _writer(archive: Path) -> dict[str, Any]:
    """The process that writes to the archive, if there is one on this machine."""
    from storage.state.holder import holder

    with suppress(OSError, StorageFault):  # who may only read the archive may not see who writes
        if busy := holder(archive / "state"):
            return {"writer": {"pid": busy.pid, "host": busy.host, "since": busy.since}}
    return {}


def _webhooks(archive: Path) -> dict[str, Any]:
    """The state of the webhooks, if there are any."""
    from storage.state.deliveries import load

    states = {name: {**asdict(one), "dead": len(one.dead)} for name, one in load(archive).items()}
    return {"webhooks": states} if states else {}


def _schedule() -> dict[str, str]:
    """The state of scheduled crawls, where a Prefect server is in use."""
    from flows.runs.doctor.prefect import server_of
    from flows.runs.doctor.schedule import schedule_check

    api = server_of(os.environ)
    if api is None:
        return {}
    check = schedule_check(api)
    return {"schedule": check.found, "schedule_level": check.level}


# -- show


def show(
    article: Annotated[str, typer.Argument(metavar="ID", help="An id such as 119_0003042504, or an address.")],
    span: Annotated[
        str | None, typer.Argument(metavar="N..M", help="With --diff: these revisions (default: the last two).")
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    history: Annotated[bool, typer.Option("--history", help="List its revisions, and what each changed.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show word by word what a revision changed.")] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="Show it as it was at this Korean time, such as 7d.")
    ] = None,
    story: Annotated[
        bool, typer.Option("--story", help="Show sentence by sentence what it has from an earlier article.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show one article, its history, or what changed in it."""
    if sum((history, diff, story, as_of is not None)) > 1:
        raise BadInput("--history, --diff, --story and --as-of exclude each other: give one of them.")
    if span is not None and not diff:
        raise BadInput(f"{span} names revisions to compare: add --diff.")
    wanted = article_id(article)
    if history:
        _show_history(_history(archive, wanted), as_json=json)
    elif diff:
        _show_difference(_history(archive, wanted), span, as_json=json)
    elif story:
        _show_comparison(archive, wanted, as_json=json)
    elif as_of is not None:
        _show_fields(_history(archive, wanted).as_of(time_from("--as-of", as_of)), as_json=json)
    else:
        _show_fields(_newest(archive, wanted), as_json=json)


def _show_fields(fields: Mapping[str, Any], *, as_json: bool) -> None:
    from flows.cli.show.article import show_article
    from storage.reading.reader import HELD, SHOWN

    finish({name: fields[name] for name in (*SHOWN, *HELD) if name in fields}, show_article, as_json=as_json)


def _show_history(found: History, *, as_json: bool) -> None:
    from flows.cli.show.article import show_history

    finish(found, show_history, as_json=as_json, to_json=lambda found: {"id": found.id, "history": list(found.steps)})


def _show_difference(found: History, span: str | None, *, as_json: bool) -> None:
    from flows.cli.show.article import show_difference
    from flows.reports.history import compare

    before, after = found.change(span)
    difference = {"id": found.id, "from": before["revision"], "to": after["revision"], "fields": compare(before, after)}
    finish(difference, show_difference, as_json=as_json)


def _show_comparison(archive: Path, wanted: str, *, as_json: bool) -> None:
    from flows.cli.show.story import show_comparison
    from flows.reports.story import compare_in_story

    found = compare_in_story(archive, wanted)
    if found is None:
        raise BadInput(_why_missing(archive, wanted))
    finish(found, show_comparison, as_json=as_json)


def story(
    article: Annotated[str, typer.Argument(metavar="ID", help="An id such as 119_0003042504, or an address.")],
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    json: JsonOption = False,
) -> None:
    """Show who published a story first, and who copied it.

    The story is that of the article ID: all articles with nearly the same text.
    """
    from flows.cli.show.story import show_story
    from flows.reports.story import read_story

    wanted = article_id(article)
    found = read_story(archive, wanted)
    if found is None:
        raise BadInput(_why_missing(archive, wanted))
    finish(found, show_story, as_json=json)


def _newest(archive: Path, wanted: str) -> Mapping[str, Any]:
    from storage.reading.reader import article, open_snapshot

    with open_snapshot(archive) as connection:
        fields = article(connection, wanted)
    if fields is None:
        raise BadInput(_why_missing(archive, wanted))
    return fields


def _history(archive: Path, wanted: str) -> History:
    from flows.reports.history import read_history

    found = read_history(archive, wanted)
    if found is None:
        raise BadInput(_why_missing(archive, wanted))
    return found


def _why_missing(archive: Path, wanted: str) -> str:
    from storage.reading.reader import duplicate_of, last_find, open_snapshot

    with open_snapshot(archive) as connection:
        first, find = duplicate_of(connection, wanted), last_find(connection, wanted)
    if first:
        return f"{wanted} has the text of {first}: seogo show {first}"
    if find:
        return f"{wanted} was found but not archived: {find[0]} ({find[1]})."
    return f"{wanted!r} is not in the archive, and no run has found it. An id looks like 119_0003042504."


# -- sql


def sql(
    query: Annotated[
        str | None, typer.Argument(metavar="QUERY", help="A query in SQL; - reads it from standard input.")
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Read the query from a file.")] = None,
    example: Annotated[
        str | None,
        typer.Option(
            "--example", autocompletion=_example_names, metavar="NAME", help="Run one of the example queries."
        ),
    ] = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="List the example queries and what they answer.")
    ] = False,
    form: Annotated[
        str | None,
        choice("--format", SQL_FORMATS, "The format of the rows.  [default: the suffix of --to, else table]"),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write the rows to a file (csv, json, parquet).")
    ] = None,
) -> None:
    """Query the archive with SQL. Works at any time, also during a crawl; read-only.

    Without a query, opens a prompt with history and completion.
    """
    if examples:
        from flows.cli.sql_prompt import show_examples

        show_examples(form or "table")
        return
    from flows.cli.sql_output import TO_FILES, check_target, print_query, write_query

    suffix = to.suffix.removeprefix(".") if to else ""
    form = form or (suffix if suffix in TO_FILES else "table")
    text = _query(query, file, example)
    target = check_target(form, to, archive)
    if text is None:
        _prompt(archive, form, target)
    elif target is None:
        print_query(archive, text, form)
    else:
        write_query(archive, text, form, target)


def _query(query: str | None, file: Path | None, example: str | None) -> str | None:
    """The text of the query; None if none was given. Raises BadInput."""
    if sum(given is not None for given in (query, file, example)) > 1:
        raise BadInput("give one query: as an argument, with --file or with --example.")
    if example is not None:
        from storage.reading.examples import example as find

        return find(example).sql
    if file is not None or query == "-":
        return text_of(file or Path("-"))
    return query


def _prompt(archive: Path, form: str, target: Path | None) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput(
            'give a query: seogo sql "SELECT …", --file FILE, --example NAME, or - to read it from standard input.'
            " A prompt needs a terminal."
        )
    if target is not None:
        raise BadInput(f"--to {target} needs a query: a prompt writes to the terminal.")
    from flows.cli.sql_prompt import prompt

    prompt(archive, form, os.environ)
