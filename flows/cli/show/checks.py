"""What `seogo doctor` prints: a line for each check, and what to do below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from flows.cli.show.safe import line
from flows.cli.show.terminal import out
from flows.runs.doctor.check import Check, Level, worst

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "red"}
_WIDTHS = (7, 19)
"""Cells for level and name: a check is printed as soon as it is made, so nobody knows how wide the others are."""


def show_check(check: Check) -> None:
    """One check."""
    style = _COLOURS[check.level]
    _show(Text(check.level.value, style), line(check.name), Text(line(check.found)))
    if check.todo:
        _show(Text(), "", Text(line(f"-> {check.todo}"), style))


def _show(level: Text, name: str, said: Text) -> None:
    if not out.is_terminal:
        widths = zip((level.plain, name), _WIDTHS, strict=True)
        out.print(Text("".join(f"{text:{width}}  " for text, width in widths) + said.plain))
        return
    grid = Table.grid(padding=(0, 2))
    for width in _WIDTHS:
        grid.add_column(width=width)
    grid.add_column(overflow="fold")
    grid.add_row(level, name, said)
    out.print(grid)


def show_last_line(checks: Sequence[Check], bundle: Path | None) -> None:
    """How many checks had which result."""
    if bundle is not None:
        out.print(Text(line(f"for a bug report: {bundle} (look into it before you send it)"), "dim"))
    counts = Counter(check.level for check in checks)
    said = ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])
    out.print(Text(f"{len(checks)} checks: {said}", f"bold {_COLOURS[worst(checks)]}"))


def checks_object(checks: Sequence[Check]) -> dict[str, Any]:
    """The same for machines."""
    return {"level": worst(checks), "checks": [asdict(check) for check in checks]}
