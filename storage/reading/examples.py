"""Named queries that ship with seogo, one file each in `storage/examples`: what they answer, then the SQL."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from schemas.errors import BadInput

_FOLDER = Path(__file__).with_name("examples")


@dataclass(frozen=True, slots=True)
class Example:
    """A query of the readers' database: its name, what it answers in one sentence, and the SQL with that sentence."""

    name: str
    answers: str
    sql: str


def names() -> list[str]:
    """The names of all examples, sorted."""
    return sorted(file.stem for file in _FOLDER.glob("*.sql"))


def examples() -> list[Example]:
    """All examples by name."""
    return [example(name) for name in names()]


def example(name: str) -> Example:
    """The example of that name. Raises BadInput, which says what was probably meant."""
    if name not in names():
        near = get_close_matches(name, names(), n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise BadInput(f"there is no example {name!r}.{meant} All of them: seogo sql --examples")
    sql = (_FOLDER / f"{name}.sql").read_text("utf-8")
    return Example(name, sql.partition("\n")[0].removeprefix("-- "), sql)
