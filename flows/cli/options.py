"""The options that several commands share, and parsers of values whose errors say what was expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.errors import BadInput

if TYPE_CHECKING:
    from storage.executor import Workers

DEFAULT_ARCHIVE = Path("archive")


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers from `low` to `high`; no upper bound for None."""
    bounds = f"from {low:,} to {high:,}" if high is not None else f"of at least {low:,}"

    def read(text: str) -> int:
        digits = str(text)  # typer passes a default as a number
        number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else -1
        if number < low or (high is not None and number > high):
            raise typer.BadParameter(f"expected a whole number {bounds} (given {text!r})")
        return number

    return read


def seconds(text: str) -> float:
    """A parser of a number of seconds."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise typer.BadParameter(f"expected a number of seconds, 0 or more (given {text!r})")
    return number


def one_of(*words: str) -> Callable[[str], str]:
    """A parser that accepts one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise typer.BadParameter(f"expected {', '.join(words[:-1])} or {words[-1]} (given {text!r})")
        return text

    return read


def completing(words: Iterable[str]) -> Callable[[str], list[str]]:
    """What the shell offers of these words, given the beginning of one."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


def choice(name: str, words: Sequence[str], description: str) -> Any:
    """An option that takes one of these words; the shell completes them."""
    return typer.Option(
        name, parser=one_of(*words), autocompletion=completing(words), metavar="|".join(words), help=description
    )


ArchiveOption = Annotated[
    Path, typer.Option("--archive", envvar="SEOGO_ARCHIVE", metavar="DIR", help="The archive directory.")
]
TopicOption = Annotated[
    Path | None,
    typer.Option("--topic", envvar="SEOGO_TOPIC", metavar="FILE", help="The topic file (default: the built-in one)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
WaitOption = Annotated[
    float,
    typer.Option("--wait", parser=seconds, metavar="SECONDS", help="Wait up to this long if another process writes."),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", parser=whole(1), metavar="N", help="Fetch at most this many articles.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        parser=whole(1),
        metavar="N",
        help="Use N processes (default: one for each core, for a large archive; 1: this process).",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="Use the workers of this Dask scheduler instead."),
]


def workers_from(count: int | None, scheduler: str | None) -> Workers:
    """Who does the work. Raises BadInput if both are given."""
    from storage.executor import Workers

    if count is not None and scheduler is not None:
        raise BadInput("--workers is for this machine, --scheduler has workers of its own: leave out one.")
    return Workers(count, scheduler)
