"""Rows of a query as people and machines read them: a table, CSV, JSON. Imports rich, so only where it is shown.

In a terminal a table fits its width: columns that do not fit side by side are shown one below the other, a block a
row. Anywhere else (a pipe, a file) a table is as wide as its cells: nothing is folded, nothing is cut.
"""

from __future__ import annotations

import csv
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any, TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from flows.cli.exit_codes import Verdict
from schemas.article import SEOUL

ROWS_AT_A_TIME = 500
"""Rows that share one measure of column widths: the first are shown while the last are still being read."""

_NARROWEST = 12
_GAP = 3
_NO_LIMIT = 1_000_000

# Text from the web must not steer the terminal. A control character is shown as its picture, ␛ for escape; one that
# turns the direction of writing, or breaks a line where no program counts one, by its number.
_STEERING = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_PICTURES: dict[int, int | str] = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_PICTURES |= dict.fromkeys((0x7F, *range(0x80, 0xA0)), 0xFFFD)
_PICTURES |= {code: f"<U+{code:04X}>" for code in _STEERING}
_LINE_PICTURES = _PICTURES | {ord(c): 0x2400 + ord(c) for c in "\n\t"}
_JSON_ESCAPES = {code: f"\\u{code:04x}" for code in (0x7F, *range(0x80, 0xA0), *_STEERING)}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        reader_left()


def reader_left() -> None:
    """Whoever read our output has had enough (`| head`): end in peace, without a complaint when Python flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise SystemExit(Verdict.code)


out = _Console(highlight=False)
out.soft_wrap = not out.is_terminal  # in a pipe, a line stays a line
err = _Console(stderr=True, highlight=False)


def shown(text: object) -> str:
    """A text that may be printed in a terminal, whatever a page put into it."""
    return str(text).translate(_PICTURES)


def line(text: object) -> str:
    """The same for a text that must not look like two lines."""
    return str(text).translate(_LINE_PICTURES)


# -- machines


def print_json(value: Any) -> None:
    """A value for machines: one JSON document on standard output."""
    with _writing() as file:
        file.write(_json(value, indent=2) + "\n")


def plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601 with offset (Korean time), bytes as hex, no NaN, no infinity."""
    match value:
        case datetime():
            return (value.astimezone(SEOUL) if value.tzinfo else value).isoformat()
        case date() | time():
            return value.isoformat()
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case bytes():
            return value.hex()
        case Decimal() | float():
            return float(value) if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value))
        case _:
            return str(value)


def _json(value: Any, *, indent: int | None = None) -> str:
    # The same value to whoever reads it, and nothing in it that steers the terminal of whoever looks at it.
    return json.dumps(plain(value), ensure_ascii=False, indent=indent, allow_nan=False).translate(_JSON_ESCAPES)


class _writing:  # noqa: N801 - reads as a function
    """Standard output, for the length of a block; a reader that leaves ends the command."""

    def __enter__(self) -> TextIO:
        return sys.stdout

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BrokenPipeError):
            reader_left()


# -- rows of a query


def print_rows(names: Sequence[str], rows: Iterator[Sequence[Any]], form: str) -> None:
    """Rows of a query as `table`, `csv` or `json`, printed as they come: memory does not grow with them."""
    match form:
        case "json":
            _print_json_rows(names, rows)
        case "csv":
            _print_csv(names, rows)
        case _:
            _print_table(names, rows)


def _print_json_rows(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    """A list of objects, one a line."""
    keys = distinct(names)
    before = "[\n"
    with _writing() as file:
        for row in rows:
            file.write(before + _json(dict(zip(keys, row, strict=True))))
            before = ",\n"
        file.write("[]\n" if before == "[\n" else "\n]\n")


def distinct(names: Sequence[str]) -> list[str]:
    """An object has each key once: the second `id` of a join is `id_1`, as in a DuckDB data frame."""
    seen: Counter[str] = Counter()
    keys: list[str] = []
    for name in names:
        key = name
        while key in keys:
            seen[name] += 1
            key = f"{name}_{seen[name]}"
        keys.append(key)
    return keys


def _print_csv(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    with _writing() as file:
        # The writer quotes only the line breaks that it ends lines with itself; a text may hold either.
        writer = csv.writer(_UnixLines(file), lineterminator="\r\n")
        said = shown if file.isatty() else str  # in a file or a pipe, the very characters
        writer.writerow(map(said, names))
        writer.writerows([_flat(value, said) for value in row] for row in rows)


class _UnixLines:
    """A file for csv.writer whose lines end in a line feed alone."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + "\n")


def _flat(value: Any, said: Callable[[str], str]) -> Any:
    """A value for one CSV field: lists and structures as JSON, numbers and words as DuckDB writes them."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return said(value)
        case None | int() | float() | Decimal():
            return value
        case list() | tuple() | Mapping():
            return _json(value)
        case _:
            return plain(value)


def _print_table(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    console = table_console()
    names = [line(name) for name in names]  # PIVOT makes names of what a page said
    draw: Callable[[Sequence[str], Sequence[Sequence[str]], int], RenderableType] | None = None
    count = 0
    while block := [[cell(value) for value in row] for row in islice(rows, ROWS_AT_A_TIME)]:
        draw = draw or (_side_by_side if _fits(names, block, console.width) else _one_below_the_other)
        console.print(draw(names, block, count))
        count += len(block)
    if not count:
        console.print(_side_by_side(names, (), 0) if _fits(names, (), console.width) else Text(", ".join(names)))
    out.print(Text(f"{count:,} row{'' if count == 1 else 's'}", style="dim"))


def table_console() -> Console:
    """Where tables go: the terminal, or a page without a right margin."""
    if out.is_terminal or "COLUMNS" in os.environ:
        return out
    return _Console(width=_NO_LIMIT, highlight=False)


def _fits(names: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> bool:
    """Whether every column gets room to be read in: a dozen cells, or what it needs if that is less."""
    needs = [cell_len(name) for name in names]
    for row in rows:
        needs = [max(need, _width(text)) if need < _NARROWEST else need for need, text in zip(needs, row, strict=True)]
    return sum(min(need, _NARROWEST) + _GAP for need in needs) <= width


def _width(text: str) -> int:
    return max(map(cell_len, text.split("\n")))


def _side_by_side(names: Sequence[str], rows: Sequence[Sequence[str]], before: int) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    return table


def _one_below_the_other(names: Sequence[str], rows: Sequence[Sequence[str]], before: int) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for number, row in enumerate(rows, start=before + 1):
        grid.add_row(Text(f"─ row {number:,}", style="bold"), Text(""))
        for name, text in zip(names, row, strict=True):
            grid.add_row(Text(name, style="dim"), Text(text))
    return grid


def cell(value: Any) -> str:
    """A value for people: Korean time without its offset, lists with commas, no control characters."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return f"{value.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}" if value.tzinfo else str(value)
        case Mapping() if set(value) == {"name", "email"}:
            return " ".join(filter(None, (cell(value["name"]), value["email"] and f"<{cell(value['email'])}>")))
        case Mapping():
            return ", ".join(f"{cell(k)} {cell(v)}" for k, v in value.items())
        case list() | tuple():
            return ", ".join(cell(item) for item in value)
        case float():
            return f"{value:.15g}"
        case bytes():
            return value.hex()
        case _:
            return shown(value)
