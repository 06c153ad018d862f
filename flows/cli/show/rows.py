"""Rows of a query: a table for people, CSV or JSON for programs. Rows are printed as they are read.

In a terminal a table fits its width: if the columns do not fit side by side, each row becomes a block of lines, one per
column. In a pipe or a file a table is as wide as its cells: nothing is folded or cut.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import islice
from types import NoneType
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from flows.cli.show.safe import line, shown
from flows.cli.show.terminal import grid, out, print_table, table, table_width
from flows.cli.show.values import cell, json_text, plain, standard_output
from schemas.counted import counted

ROWS_AT_A_TIME = 500
"""Rows that share column widths: the first rows are printed while the last are still read."""

_NUMBERS = {int, float, Decimal}
_NARROWEST = 12
_GAP = 3


def print_rows(names: Sequence[str], rows: Iterator[Sequence[Any]], form: str) -> None:
    """Print rows as `table`, `csv` or `json`, in constant memory."""
    match form:
        case "json":
            _print_json_rows(names, rows)
        case "csv":
            _print_csv(names, rows)
        case _:
            _print_table(names, rows)


# -- JSON


def _print_json_rows(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    """A list of objects, one per line."""
    keys = distinct(names)
    before = "[\n"
    with standard_output() as file:
        for row in rows:
            file.write(before + json_text(dict(zip(keys, row, strict=True))))
            before = ",\n"
        file.write("[]\n" if before == "[\n" else "\n]\n")


def distinct(names: Sequence[str]) -> list[str]:
    """Unique keys: the second `id` of a join is `id_1`, as in a DuckDB data frame."""
    seen: Counter[str] = Counter()
    keys: list[str] = []
    for name in names:
        key = name
        while key in keys:
            seen[name] += 1
            key = f"{name}_{seen[name]}"
        keys.append(key)
    return keys


# -- CSV


def _print_csv(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    with standard_output() as file:
        # csv.writer quotes a line break only if its own line terminator contains it, and a text may contain \r or \n.
        writer = csv.writer(_UnixLines(file), lineterminator="\r\n")
        text = shown if file.isatty() else str  # unchanged in a file or a pipe
        writer.writerow(map(text, names))
        writer.writerows([_csv_field(value, text) for value in row] for row in rows)


class _UnixLines:
    """A file for csv.writer whose lines end with a line feed only."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + "\n")


def _csv_field(value: Any, text: Callable[[str], str]) -> Any:
    """A value for csv.writer: lists and structures as JSON, booleans as DuckDB writes them."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return text(value)
        case None | int() | float() | Decimal():
            return value
        case list() | tuple() | Mapping():
            return json_text(value)
        case _:
            return plain(value)


# -- tables


def _print_table(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    width = table_width()
    names = [line(name) for name in names]  # PIVOT makes column names of values
    draw: Callable[[Sequence[str], Sequence[Sequence[str]], int], RenderableType] | None = None
    count = 0
    while found := list(islice(rows, ROWS_AT_A_TIME)):
        block = [[cell(value) for value in row] for row in found]
        draw = draw or (partial(_side_by_side, _numeric(found)) if _fits(names, block, width) else _one_below_the_other)
        print_table(draw(names, block, count))
        count += len(block)
    if not count:
        print_table(_side_by_side((), names, (), 0) if _fits(names, (), width) else Text(", ".join(names)))
    out.print(Text(counted(count, "row"), style="dim"))


def _fits(names: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> bool:
    """Whether every column gets 12 cells, or as many as it needs if that is fewer."""
    needs = [cell_len(name) for name in names]
    for row in rows:
        needs = [max(need, _width(text)) if need < _NARROWEST else need for need, text in zip(needs, row, strict=True)]
    return sum(min(need, _NARROWEST) + _GAP for need in needs) <= width


def _width(text: str) -> int:
    return max(map(cell_len, text.split("\n")))


def _numeric(rows: Sequence[Sequence[Any]]) -> list[int]:
    """The columns that have numbers, and no other values."""
    columns = enumerate(zip(*rows, strict=True))
    return [number for number, values in columns if {type(one) for one in values} - {NoneType} <= _NUMBERS]


def _side_by_side(
    numeric: Collection[int], names: Sequence[str], rows: Sequence[Sequence[str]], before: int
) -> RenderableType:
    found = table()
    for number, name in enumerate(names):
        found.add_column(Text(name), overflow="fold", justify="right" if number in numeric else "left")
    for row in rows:
        found.add_row(*(Text(text) for text in row))
    return found


def _one_below_the_other(names: Sequence[str], rows: Sequence[Sequence[str]], before: int) -> RenderableType:
    found = grid()
    for number, row in enumerate(rows, start=before + 1):
        found.add_row(Text(f"─ row {number:,}", style="bold"), Text(""))
        for name, text in zip(names, row, strict=True):
            found.add_row(Text(name, style="dim"), Text(text))
    return found
