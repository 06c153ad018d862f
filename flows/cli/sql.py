"""The command `sql`. `flows.cli.app` registers it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.arguments import text_of
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, one_of
from schemas.errors import BadInput

FORMATS = ("table", "csv", "json", "parquet")


def sql(
    query: Annotated[
        str | None, typer.Argument(metavar="QUERY", help="A query in SQL; - reads it from standard input.")
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Read the query from a file.")] = None,
    example: Annotated[
        str | None, typer.Option("--example", metavar="NAME", help="Run a query that ships with seogo.")
    ] = None,
    examples: Annotated[bool, typer.Option("--examples", help="Name those queries and tell what they answer.")] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            parser=one_of(*FORMATS),
            metavar="|".join(FORMATS),
            help="How to give the rows.  [default: as the file of --to is called, else table]",
        ),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write the rows to a file (csv, json, parquet).")
    ] = None,
) -> None:
    """Ask the archive a question. Works at any time, also while a crawl writes; cannot change anything.

    Without a query it opens a prompt, with history and completion.
    """
    if examples:
        from flows.cli.sql_prompt import show_examples

        show_examples(form or "table")
        return
    from flows.cli.sql_output import TO_FILES, check_target, show, write

    ending = to.suffix.removeprefix(".") if to else ""
    form = form or (ending if ending in TO_FILES else "table")
    text = _query(query, file, example)
    target = check_target(form, to, archive)
    if text is None:
        _prompt(archive, form, target)
        return
    write(archive, text, form, target) if target else show(archive, text, form)


def _query(query: str | None, file: Path | None, example: str | None) -> str | None:
    """The query in SQL, wherever it was given; None where it was not. Raises BadInput."""
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
