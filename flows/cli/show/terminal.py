"""Standard output and standard error, as Rich prints them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from flows.cli.show.safe import line, reader_left
from schemas.article import Outcome

_NO_LIMIT = 1_000_000

COLOURS = {
    Outcome.NEW: "green",
    Outcome.EDITED: "cyan",
    Outcome.DUPLICATE: "blue",
    Outcome.LISTED: "blue",
    Outcome.BLOCKED: "red",
    Outcome.FAILED: "red",
    Outcome.DEFERRED: "yellow",
}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        reader_left()


out = _Console(highlight=False)
out.soft_wrap = not out.is_terminal  # in a pipe, a line stays one line
err = _Console(stderr=True, highlight=False)


def table_width() -> int:
    """How wide a table may be: as the terminal, and in a pipe without a limit."""
    return out.width if out.is_terminal or "COLUMNS" in os.environ else _NO_LIMIT


def print_table(found: RenderableType) -> None:
    """Print a table. In a pipe, its lines are as long as they need to be, and have no spaces at their ends."""
    if out.is_terminal:
        out.print(found)
        return
    console = _Console(width=table_width(), highlight=False)
    with console.capture() as held:
        console.print(found)
    out.file.writelines(f"{row.rstrip(' ')}\n" for row in held.get().splitlines())


def say(text: object, style: str = "") -> None:
    """Print one line."""
    out.print(Text(line(text), style=style))


def say_all(lines: Sequence[object], style: str = "", *, most: int = 20) -> None:
    """Print the first `most` lines, and how many more there are."""
    for text in lines[:most]:
        say(text, style)
    if len(lines) > most:
        say(f"… and {len(lines) - most:,} more: --json lists all", style)


def grid() -> Table:
    """Two columns without borders: a name, and its value, which is folded but never cut."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def table() -> Table:
    """A table with a line below its head."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False)
