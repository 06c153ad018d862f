"""The commands that maintain an archive: import, verify, repair, rebuild, reparse, reassess."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from flows.cli.arguments import article_id, since_from
from flows.cli.exit_codes import Exit, exit_of_run
from flows.cli.options import (
    DEFAULT_ARCHIVE,
    ArchiveOption,
    JsonOption,
    SchedulerOption,
    TopicOption,
    WaitOption,
    WorkersOption,
    workers_from,
)
from flows.cli.run_here import end, finish, run_blocking, run_here
from flows.runs.settings import topic_from
from schemas.errors import BadInput
from storage.layout import check_archive

if TYPE_CHECKING:
    from storage.integrity.repair import Repair


def import_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files, or directories of .md and .txt files.")
    ],
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Import documents of an older archive. The originals are never changed."""
    from flows.runs.import_files import ImportOrder, import_files

    order = ImportOrder(topic_from(topic), archive, paths=tuple(paths), wait=wait)
    end(run_blocking("import", partial(import_files, order)), order, as_json=json)


def verify(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Check files, rows and captures against each other. Exit code 8 if they disagree.

    Recovers from a killed run first, as every command that writes does. Nothing else is changed.
    """
    from flows.cli.show.archive import show_verification
    from flows.cli.show.reading import reading
    from storage.integrity.repair import verify_archive

    check_archive(archive)
    with reading("verify") as report:
        found = verify_archive(archive, wait=wait, workers=workers_from(workers, scheduler), on_progress=report)
    finish(found, show_verification, as_json=json, code=Exit.ARCHIVE_DAMAGED if found.faults else Exit.DONE)


def repair(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Repair what the captures allow, and list what is left. Exit code 8 if anything is.

    What is replaced is kept in state/set-aside.
    """
    from flows.cli.show.reading import reading
    from storage.integrity.repair import repair as repair_archive

    check_archive(archive)
    with reading("repair") as report:
        done = repair_archive(archive, wait=wait, workers=workers_from(workers, scheduler), on_progress=report)
    _end_repair(done, as_json=json)


def rebuild(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Rebuild the database and the Markdown files from the captures. Exit code 8 if the captures are incomplete.

    What is replaced is kept in state/set-aside. Files that would not change are left alone.
    """
    from flows.cli.show.reading import reading
    from storage.integrity.repair import rebuild as rebuild_archive

    check_archive(archive)
    with reading("rebuild") as report:
        done = rebuild_archive(archive, wait=wait, workers=workers_from(workers, scheduler), on_progress=report)
    _end_repair(done, as_json=json)


def reparse(  # noqa: PLR0913  it has that many options
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these articles (default: all).")
    ] = None,
    *,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Only articles crawled since this Korean day or time, such as yesterday or 7d.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show field by field what would change, and store nothing.")
    ] = False,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Parse the pages in quarantine, and archive those that are valid now.")
    ] = False,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="With --quarantined: accept the pages, and their layout as the new normal."),
    ] = False,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Parse the captures of the articles again, without the network.

    A text that differs becomes a new revision; the old one is kept.
    """
    from flows.cli.show.archive import reparsed_object, show_reparsed
    from flows.runs.reparse import ReparseOrder
    from flows.runs.reparse import reparse as run_reparse

    check_archive(archive)
    if accept and not quarantined:
        raise BadInput("--accept is for pages in quarantine: add --quarantined.")
    if quarantined:
        if ids or since or dry_run:
            raise BadInput("--quarantined parses all pages in quarantine: leave out ids, --since and --dry-run.")
        _reparse_quarantined(archive, topic, accept, wait, as_json=json)
    chosen = tuple(article_id(text) for text in ids or ())
    order = ReparseOrder(
        topic_from(topic),
        archive,
        since=since_from(since),
        ids=chosen,
        dry_run=dry_run,
        wait=wait,
        workers=workers_from(workers, scheduler),
    )
    done = run_blocking("reparse", partial(run_reparse, order))
    finish(done, show_reparsed, as_json=json, code=exit_of_run(done.exit_reason), to_json=reparsed_object)


def reassess(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show field by field what would change, and store nothing.")
    ] = False,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Assess all texts again by the current topic file.

    Needs no network. Texts that are off topic now stay and are marked; finds that were off topic can become articles.
    """
    from flows.cli.show.archive import reassessed_object, show_reassessed
    from flows.runs.reassess import ReassessOrder
    from flows.runs.reassess import reassess as run_reassess

    check_archive(archive)
    who = workers_from(workers, scheduler)
    order = ReassessOrder(topic_from(topic), archive, dry_run=dry_run, wait=wait, workers=who)
    done = run_blocking("reassess", partial(run_reassess, order))
    finish(done, show_reassessed, as_json=json, code=exit_of_run(done.exit_reason), to_json=reassessed_object)


def _reparse_quarantined(archive: Path, topic: Path | None, accept: bool, wait: float, *, as_json: bool) -> NoReturn:
    from flows.runs.quarantine import QuarantineOrder, reparse_quarantined

    order = QuarantineOrder(topic_from(topic), archive, accept=accept, wait=wait)
    end(run_here("reparse", partial(reparse_quarantined, order)), order, as_json=as_json)


def _end_repair(done: Repair, *, as_json: bool) -> NoReturn:
    from flows.cli.show.archive import show_repair

    finish(done, show_repair, as_json=as_json, code=Exit.ARCHIVE_DAMAGED if done.left else Exit.DONE)
