"""The commands that hand on what the archive holds: publish, export, report. `flows.cli.app` registers them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, WaitOption, one_of, whole
from storage.layout import check_archive

FORMATS = ("parquet", "jsonl", "jsonl.gz", "markdown", "atom")
_CHOICE = "|".join(FORMATS)


def publish(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            parser=one_of(*FORMATS),
            metavar=_CHOICE,
            help="Export this. May repeat (default: parquet, atom).",
        ),
    ] = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Bring readers up to date.

    Their copy of the database, and the exports in the archive's own folder.
    Only what is behind is written. What a killed run left is finished first, as by any command that writes.
    """
    from flows.cli.show.exports import show_published
    from flows.cli.show.terminal import print_json
    from flows.runs.publish import PublishOrder
    from flows.runs.publish import publish as bring_up_to_date

    check_archive(archive)
    order = PublishOrder(archive, wait, tuple(dict.fromkeys(formats))) if formats else PublishOrder(archive, wait)
    done = bring_up_to_date(order)
    print_json(done.as_json()) if json else show_published(done)


def export(
    form: Annotated[
        str, typer.Option("--format", parser=one_of(*FORMATS), metavar=_CHOICE, help="What to write.")
    ] = "parquet",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Where (default: the folder exports of the archive).")
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(
            "--since", parser=whole(0), metavar="CURSOR", help="Only what changed behind this cursor (0: everything)."
        ),
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Export all articles, or what changed. Works at any time, also while a crawl writes.

    parquet: a file a month, of which only those that changed are written again. markdown: a zip of the Markdown files
    with an index. atom: a feed of the newest 50. schemas/exported says what an exported article is.

    With --since: jsonl (to standard output, or a file in --to), parquet or markdown. Each change has its own cursor,
    `seq`; keep that of the last one you took in.
    """
    if since is not None:
        _export_changes(archive, since, form, to, as_json=json)
        return
    from flows.cli.show.exports import show_exported
    from flows.cli.show.terminal import print_json
    from storage.exports.full import export as write

    done = write(archive, form, to, wait=wait)
    print_json(done.as_json()) if json else show_exported(done)


def _export_changes(archive: Path, since: int, form: str, to: Path | None, *, as_json: bool) -> None:
    from flows.cli.show.exports import show_change_lines, show_changes
    from flows.cli.show.terminal import print_json
    from storage.exports.changes import export_changes

    if to is None and form == "jsonl":
        show_change_lines(archive, since)
        return
    done = export_changes(archive, since, form, to or archive / "exports" / "changes")
    print_json(done) if as_json else show_changes(done)


def report(
    days: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="Over how many days, up to now.")] = 7,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page for a browser instead, that needs no net."),
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    json: JsonOption = False,
) -> None:
    """Tell what came in, what went wrong and what waits, as Markdown. Works at any time, also while a crawl writes."""
    from flows.cli.show.exports import show_markdown, show_page
    from flows.cli.show.terminal import print_json
    from flows.reports.markdown import markdown, read

    if html is not None:
        from flows.reports.page import write_page

        size = write_page(archive, html, days=days)
        print_json({"file": html, "bytes": size}) if json else show_page(html, size)
        return
    found = read(archive, days=days)
    print_json(found) if json else show_markdown(markdown(found))
