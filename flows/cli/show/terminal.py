"""Standard output and standard error, and text from the web made safe for a terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NoReturn

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from flows.cli.exit_codes import ExitStatus
from schemas.safe_text import STEERING

_NO_LIMIT = 1_000_000

# Text from the web must not control the terminal. A control character is shown as its picture, ␛ for escape; a
# character that changes the direction of writing, or that only some programs take for a line break, as its number.
_PICTURES: dict[int, int | str] = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_PICTURES |= dict.fromkeys((0x7F, *range(0x80, 0xA0)), 0xFFFD)
_PICTURES |= {code: f"<U+{code:04X}>" for code in STEERING}
_LINE_PICTURES = _PICTURES | {ord(c): 0x2400 + ord(c) for c in "\n\t"}
JSON_ESCAPES = {code: f"\\u{code:04x}" for code in (0x7F, *range(0x80, 0xA0), *STEERING)}
"""The same for JSON, in which control characters below 0x20 are escaped anyway."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        reader_left()


def reader_left() -> NoReturn:
    """The reader of standard output closed the pipe (`| head`): exit without an error message."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python flushes at exit
    raise SystemExit(ExitStatus.code)


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


def shown(text: object) -> str:
    """A text that is safe in a terminal."""
    return str(text).translate(_PICTURES)


def line(text: object) -> str:
    """The same on one line."""
    return str(text).translate(_LINE_PICTURES)


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
