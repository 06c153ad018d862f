"""The results of publish, export and report."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from flows.cli.show.safe import line
from flows.cli.show.terminal import out, say
from flows.reports.text import size
from schemas.counted import counted

if TYPE_CHECKING:
    from flows.reports.digest import Digest
    from flows.reports.facts import Facts
    from flows.reports.language import Language
    from flows.runs.publish import Published
    from storage.exports.changes import ExportedChanges
    from storage.exports.full import Exported

_MOST_FILES = 20


def show_published(done: Published) -> None:
    """The files that were written."""
    for note in done.notes:
        say(f"note: {note}", "yellow")
    if done.snapshot:
        say(f"archive.duckdb: replaced, {size(done.snapshot_bytes)}")
    for one in done.exports:
        _show_files(one)
    if done.store and done.store.changed:
        say(f"{done.store.address}: {counted(len(done.store.uploaded), 'object')} uploaded, {size(done.store.bytes)}")
    if done.delta and done.delta.changed:
        say(f"{done.delta.address}: {counted(done.delta.commits, 'commit')}, up to change {done.delta.cursor}")
    _show_end("published" if done.changed else "nothing changed: everything is up to date", done.seconds)


def show_exported(done: Exported) -> None:
    """The files that were written."""
    _show_files(done)
    what = f"{counted(done.articles, 'article')} in {done.folder}"
    _show_end(f"exported: {what}" if done.changed else f"nothing changed: {what}", done.seconds)


def show_changes(done: ExportedChanges) -> None:
    """The file that was written, and the next cursor."""
    what = (
        f"{counted(done.changes, 'change')} in {done.file}" if done.changes else f"nothing changed since {done.since}"
    )
    say(f"{what}; the next cursor is {done.cursor}", "bold green")


def show_change_lines(archive: Path, since: int) -> None:
    """The changes since a cursor as lines of JSON, printed as they are read."""
    from storage.exports.changes import change_lines
    from storage.reading.changes import changes
    from storage.reading.reader import open_snapshot

    with open_snapshot(archive) as connection:
        for data in change_lines(changes(connection, since)):
            sys.stdout.buffer.write(data)
    sys.stdout.flush()


def show_report(found: Facts) -> None:
    """The report as Markdown."""
    from flows.reports.markdown import markdown

    sys.stdout.write(markdown(found))


def show_digest(found: Digest, language: Language) -> None:
    """The digest as Markdown."""
    from flows.reports.digest import markdown

    sys.stdout.write(markdown(found, language))


def show_page(written: Mapping[str, Any]) -> None:
    """Where the page is."""
    say(f"{written['file']}: {size(written['bytes'])}. Open it in a browser.", "bold green")


def _show_files(done: Exported) -> None:
    for text in _lines(done):
        say(text)


def _lines(done: Exported) -> Iterator[str]:
    for name in done.written[:_MOST_FILES]:
        yield f"{done.folder}/{name}: {'missing or altered, written again' if name in done.restored else 'written'}"
    for name in done.removed[:_MOST_FILES]:
        yield f"{done.folder}/{name}: removed"
    if more := sum(max(len(names) - _MOST_FILES, 0) for names in (done.written, done.removed)):
        yield f"… and {more:,} more: --json lists all"
    if done.written:
        yield f"{done.format}: {size(done.bytes)} in {counted(len(done.written), 'file')}, {done.unchanged} unchanged"


def _show_end(text: str, seconds: float) -> None:
    out.print(Text.assemble((line(text), "bold green"), (f". {seconds:.1f} s", "dim")))
