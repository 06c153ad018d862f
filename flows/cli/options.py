"""The options that commands share, and how numbers and choices are read: what was expected, in our own words."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_ARCHIVE = Path("archive")


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """A reader of whole numbers from `low` on, up to `high` where there is one."""
    bounds = f"from {low:,} to {high:,}" if high is not None else f"from {low:,} on"

    def read(text: str) -> int:
        digits = str(text)  # a default comes as a number
        number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else -1
        if number < low or (high is not None and number > high):
            raise typer.BadParameter(f"expected a whole number {bounds} (given {text!r})")
        return number

    return read


def seconds(text: str) -> float:
    """A time to wait, in seconds."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise typer.BadParameter(f"expected seconds, a number from 0 on (given {text!r})")
    return number


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise typer.BadParameter(f"expected {', '.join(words[:-1])} or {words[-1]} (given {text!r})")
        return text

    return read


ArchiveOption = Annotated[
    Path, typer.Option("--archive", envvar="SEOGO_ARCHIVE", metavar="DIR", help="The archive directory.")
]
TopicOption = Annotated[
    Path | None,
    typer.Option("--topic", envvar="SEOGO_TOPIC", metavar="FILE", help="The topic file (default: the one that ships)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]
WaitOption = Annotated[
    float,
    typer.Option("--wait", parser=seconds, metavar="SECONDS", help="Wait this long for another process to leave."),
]
