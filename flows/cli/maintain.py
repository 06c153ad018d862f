"""The commands that maintain an archive: verify, repair, rebuild, reparse, reassess. `flows.cli.app` registers them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import fetch as cli_runs
from flows.cli.arguments import article_id, time_from
from flows.cli.exit_codes import Exit, Verdict, exit_of_run
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, TopicOption, WaitOption
from flows.runs.settings import topic_from
from schemas.errors import BadInput
from storage.layout import check_archive

if TYPE_CHECKING:
    from flows.runs.quarantine import QuarantineOrder
    from storage.integrity.repair import Repair


def verify(archive: ArchiveOption = DEFAULT_ARCHIVE, wait: WaitOption = 0.0, json: JsonOption = False) -> None:
    """Hold every file, row and capture against each other. Exit code 8 when they disagree.

    What a killed run left is finished first, as by any command that writes; nothing else is changed.
    """
    from flows.cli.show.run import show_verification
    from flows.cli.show.terminal import print_json
    from storage.integrity.repair import verify_archive

    check_archive(archive)
    found = verify_archive(archive, wait=wait)
    Verdict.code = Exit.ARCHIVE_DAMAGED if found.faults else Exit.DONE
    print_json(found) if json else show_verification(found)
    raise typer.Exit(Verdict.code)


def repair(archive: ArchiveOption = DEFAULT_ARCHIVE, wait: WaitOption = 0.0, json: JsonOption = False) -> None:
    """Mend what the captures allow to mend, and name what is left. Exit code 8 when something is.

    What is replaced is kept below state/set-aside.
    """
    from storage.integrity.repair import repair as mend

    _care(archive, lambda: mend(archive, wait=wait), as_json=json)


def rebuild(archive: ArchiveOption = DEFAULT_ARCHIVE, wait: WaitOption = 0.0, json: JsonOption = False) -> None:
    """Make database and Markdown files anew from the captures. Exit code 8 when they do not suffice.

    What is replaced is kept below state/set-aside; a file that is as it was written stays.
    """
    from storage.integrity.repair import rebuild as make_anew

    _care(archive, lambda: make_anew(archive, wait=wait), as_json=json)


def reparse(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these articles (default: all of them).")
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only articles crawled from this Korean day or time on."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show field by field what would change, and store nothing.")
    ] = False,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Read the pages that were held back, and archive what reads well now.")
    ] = False,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="With --quarantined: pages are right as they look now, and the next ones too."),
    ] = False,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Derive the articles once more from their captures.

    Without the network. A text that comes out otherwise becomes a new revision; the older one stays.
    """
    from flows.cli.show.archive import reparsed_object, show_reparsed
    from flows.cli.show.progress import progress
    from flows.cli.show.terminal import print_json
    from flows.cli.signals import on_interrupt
    from flows.runs.quarantine import QuarantineOrder
    from flows.runs.reparse import ReparseOrder
    from flows.runs.reparse import reparse as derive_again

    check_archive(archive)
    if accept and not quarantined:
        raise BadInput("--accept goes with --quarantined: nothing else was held back.")
    if quarantined:
        if ids or since or dry_run:
            raise BadInput("--quarantined reads all pages that were held back: leave out ids, --since and --dry-run.")
        _reparse_quarantined(QuarantineOrder(topic_from(topic), archive, accept, wait=wait), as_json=json)
    named = tuple(article_id(text) for text in ids or ())
    order = ReparseOrder(topic_from(topic), archive, time_from(since), named, dry_run, wait=wait)
    stop = threading.Event()
    with on_interrupt(stop.set), progress("reparse") as report:
        done = derive_again(order, on_progress=report, stopped=stop.is_set)
    Verdict.code = exit_of_run(done.exit_reason)
    print_json(reparsed_object(done)) if json else show_reparsed(done)
    raise typer.Exit(Verdict.code)


def reassess(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show field by field what would change, and store nothing.")
    ] = False,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Assess all texts by today's topic file.

    Without the network. Texts that are off topic now stay and are marked; finds that were off topic can arrive.
    """
    from flows.cli.show.archive import reassessed_object, show_reassessed
    from flows.cli.show.progress import progress
    from flows.cli.show.terminal import print_json
    from flows.cli.signals import on_interrupt
    from flows.runs.reassess import ReassessOrder
    from flows.runs.reassess import reassess as assess_again

    check_archive(archive)
    order = ReassessOrder(topic_from(topic), archive, dry_run, wait=wait)
    stop = threading.Event()
    with on_interrupt(stop.set), progress("reassess") as report:
        done = assess_again(order, on_progress=report, stopped=stop.is_set)
    Verdict.code = exit_of_run(done.exit_reason)
    print_json(reassessed_object(done)) if json else show_reassessed(done)
    raise typer.Exit(Verdict.code)


def _reparse_quarantined(order: QuarantineOrder, *, as_json: bool) -> None:
    from flows.runs.quarantine import reparse_quarantined

    cli_runs.end(cli_runs.run_here("reparse", partial(reparse_quarantined, order)), as_json=as_json)


def _care(archive: Path, act: Callable[[], Repair], *, as_json: bool) -> None:
    from flows.cli.show.archive import show_repair
    from flows.cli.show.terminal import print_json

    check_archive(archive)
    done = act()
    Verdict.code = Exit.ARCHIVE_DAMAGED if done.left else Exit.DONE
    print_json(done) if as_json else show_repair(done)
    raise typer.Exit(Verdict.code)
