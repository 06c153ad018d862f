"""The commands that hand on what the archive holds: publish, export, report, digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, TopicOption, WaitOption, choice, whole
from flows.cli.run_here import finish
from storage.layout import check_archive

FORMATS = ("parquet", "jsonl", "jsonl.gz", "markdown", "markdown-strict", "atom")


def publish(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    formats: Annotated[
        list[str] | None,
        choice("--format", FORMATS, "Export this format. May be repeated (default: parquet, atom)."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="ADDRESS", help="Also publish a whole state there: s3://bucket/prefix."),
    ] = None,
    delta: Annotated[bool, typer.Option("--delta", help="With --to: also the articles as a Delta table.")] = False,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Update the readers' database and the exports.

    The exports are in the archive directory. Only files that are out of date are written. Recovers from a killed run
    first, as every command that writes does. --to: docs/object-store.md.
    """
    from flows.cli.show.exports import show_published
    from flows.runs.publish import PublishOrder
    from flows.runs.publish import publish as run_publish

    check_archive(archive)
    order = PublishOrder(archive, wait, to=to, delta=delta)
    if formats:
        order = replace(order, formats=tuple(dict.fromkeys(formats)))
    finish(run_publish(order), show_published, as_json=json, to_json=lambda done: done.as_json())


def export(
    form: Annotated[str, choice("--format", FORMATS, "The format to write.")] = "parquet",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Where to (default: `exports` in the archive).")
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(
            "--since", parser=whole(0), metavar="CURSOR", help="Only the changes after this cursor (0: all of them)."
        ),
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Export all articles, or what changed. Works at any time, also during a crawl.

    parquet: one file per month; only months that changed are written again. markdown: a zip of the Markdown files with
    an index. markdown-strict: the same with front matter for tools that read YAML. atom: a feed of the newest 50
    articles. The records are defined in schemas/exported.

    With --since: jsonl (to standard output, or to a file in --to), parquet, markdown or markdown-strict. Each change
    has its own cursor, `seq`; store the cursor of the last change that you processed.
    """
    from flows.cli.show.exports import show_change_lines, show_changes, show_exported
    from storage.exports.changes import export_changes
    from storage.exports.full import export as export_all

    if since is None:
        done = export_all(archive, form, to, wait=wait)
        finish(done, show_exported, as_json=json, to_json=lambda done: done.as_json())
    if to is None and form == "jsonl":
        show_change_lines(archive, since)
        return
    finish(export_changes(archive, since, form, to or archive / "exports" / "changes"), show_changes, as_json=json)


def report(
    days: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="How many days, up to today.")] = 7,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page for a browser instead. It needs no network."),
    ] = None,
    topic: TopicOption = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    json: JsonOption = False,
) -> None:
    """Report what was archived, what failed and what is pending. Works at any time, also during a crawl.

    The page is the first one of `seogo serve`, with the title and in the `language` of the topic file.
    """
    from flows.cli.show.exports import show_page, show_report

    if html is not None:
        from flows.runs.settings import topic_from
        from flows.serving.pages.static_page import write_page

        about = topic_from(topic)
        size = write_page(archive, html, title=about.title, language=about.language, days=days)
        finish({"file": html, "bytes": size}, show_page, as_json=json)
    from flows.reports.facts import facts

    finish(facts(archive, days=days), show_report, as_json=json)


def digest(
    day: Annotated[
        str, typer.Option("--day", metavar="DAY", help="The Korean day, such as 2025-12-30 or today.")
    ] = "yesterday",
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page instead, as it is sent by mail."),
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    json: JsonOption = False,
) -> None:
    """Show the stories of one day, in the language of the topic file.

    Each with who was first and who copied; besides, what was edited or deleted, and which teams were named.
    """
    from flows.cli.arguments import time_from
    from flows.cli.show.exports import show_digest, show_page
    from flows.reports.digest import html as digest_page
    from flows.reports.digest import read_digest
    from flows.reports.page_file import write_page_file
    from flows.runs.settings import topic_from
    from schemas.article import SEOUL

    about = topic_from(topic)
    found = read_digest(archive, time_from("--day", day).astimezone(SEOUL).date(), title=about.title)
    if html is not None:
        size = write_page_file(digest_page(found, about.language), html, archive=archive)
        finish({"file": html, "bytes": size}, show_page, as_json=json)
    finish(found, lambda one: show_digest(one, about.language), as_json=json, to_json=lambda one: one.as_json())
