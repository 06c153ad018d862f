"""What people see in the terminal of an article's past. Imports rich, so only where it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from flows.cli.show.terminal import cell, line, out, shown, table_console
from flows.reports.history import Past, Piece, Step

_STYLES = {"equal": "", "delete": "red strike", "insert": "green"}
_MARKS = {"equal": ("", ""), "delete": ("[-", "-]"), "insert": ("{+", "+}")}


def show_past(past: Past) -> None:
    """A line for each thing that happened."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("time", "revision", "what", "changed", "title"):
        table.add_column(name, overflow="fold", no_wrap=name in ("time", "revision", "what"))
    for step in past.steps:
        table.add_row(*map(Text, _cells(step)))
    console = table_console()
    console.print(Text(line(past.texts[-1]["title"] or past.id), style="bold"))
    console.print(table)
    if len(past.texts) > 1:
        out.print(Text(f"what the last one changed, word by word: seogo show {past.id} --diff", style="dim"))


def _cells(step: Step) -> tuple[str, ...]:
    number = "" if step.revision is None else str(step.revision)
    return (cell(step.at), number, step.kind, cell(step.changed), line(step.title or ""))


def show_difference(past: Past, numbers: tuple[int, int], fields: Mapping[str, Sequence[Piece]]) -> None:
    """The fields in which two texts differ: the old one red and struck, the new one green; marked without colour."""
    out.print(Text(f"{past.id}: revision {numbers[0]} to {numbers[1]}", style="bold"))
    if not fields:
        out.print(Text("title, byline, times and text are the same", style="dim"))
    coloured = out.color_system is not None and not out.no_color
    for name, pieces in fields.items():
        out.print(Text(name, style="dim"))
        out.print(Text.assemble(*(_part(piece, coloured=coloured) for piece in pieces)))
        out.print()


def _part(piece: Piece, *, coloured: bool) -> tuple[str, str]:
    said = shown(piece.text)
    if coloured:
        return said, _STYLES[piece.op]
    opening, closing = _MARKS[piece.op]
    # A mark stands at the word that it is about, not behind the white space.
    body = said.rstrip() or said
    return f"{opening}{body}{closing}{said[len(body) :]}", ""
