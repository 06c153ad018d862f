"""What people see in the terminal of publish, export and report. Imports rich, so only where it is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from flows.cli.show.progress import size
from flows.cli.show.terminal import line, out

if TYPE_CHECKING:
    from flows.runs.publish import Published
    from storage.exports.changes import ExportedChanges
    from storage.exports.full import Exported

_MOST_FILES = 20


def show_published(done: Published) -> None:
    """What readers got, file by file, and one line in the end."""
    for note in done.notes:
        out.print(Text(line(f"note: {note}"), style="yellow"))
    if done.snapshot:
        out.print(Text(f"archive.duckdb: copied anew, {size(done.snapshot_bytes)}"))
    for one in done.exports:
        _show_files(one)
    out.print(_last_line("published" if done.changed else "nothing changed: all is as it was", done.seconds))


def show_exported(done: Exported) -> None:
    """What was written, and one line in the end."""
    _show_files(done)
    what = f"{done.articles:,} articles in {done.folder}"
    out.print(_last_line(f"exported: {what}" if done.changed else f"nothing changed: {what}", done.seconds))


def show_changes(done: ExportedChanges) -> None:
    """Where they are, and the next cursor."""
    what = f"{done.changes:,} changes in {done.file}" if done.changes else f"nothing changed behind {done.since}"
    out.print(Text(line(f"{what}; the next cursor is {done.cursor}"), style="bold green"))


def show_change_lines(archive: Path, since: int) -> None:
    """The changes behind a cursor, as lines of JSON, while they are read."""
    from storage.exports.changes import change_lines
    from storage.reading.changes import changes
    from storage.reading.reader import open_snapshot

    with open_snapshot(archive) as connection:
        for told in change_lines(changes(connection, since)):
            sys.stdout.buffer.write(told)
    sys.stdout.flush()


def show_markdown(text: str) -> None:
    """A report, as it is."""
    sys.stdout.write(text)


def show_page(file: Path, held: int) -> None:
    """Where the page is."""
    out.print(Text(line(f"{file}: {size(held)}. Open it in a browser."), style="bold green"))


def _show_files(done: Exported) -> None:
    for said in _lines(done):
        out.print(Text(line(said)))


def _lines(done: Exported) -> Iterator[str]:
    for name in done.written[:_MOST_FILES]:
        yield f"{done.folder}/{name}: written"
    for name in done.removed[:_MOST_FILES]:
        yield f"{done.folder}/{name}: removed"
    if more := sum(max(len(names) - _MOST_FILES, 0) for names in (done.written, done.removed)):
        yield f"… and {more:,} more: --json names all of them"
    if done.written:
        yield f"{done.format}: {size(done.bytes)} in {len(done.written)} files, {done.unchanged} as they were"


def _last_line(said: str, seconds: float) -> Text:
    return Text.assemble((line(said), "bold green"), (f" {seconds:.1f} s", "dim"))
