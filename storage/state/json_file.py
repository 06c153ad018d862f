"""A small JSON file: read with a check of what it holds, replaced whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from schemas.errors import ArchiveDamaged, StorageFault
from storage.files import make_folder, replacing

T = TypeVar("T")

_NOT_WHAT_IT_SHOULD_BE = (
    *(ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, RecursionError),
)
"""What Python raises of values that have another shape than was expected."""


def load(path: Path, parse: Callable[[Any], T]) -> T | None:
    """What the file holds, as `parse` makes it of JSON's values; None where there is no file.

    Raises ArchiveDamaged where it is no JSON or not what `parse` expects, StorageFault where it cannot be read.
    """
    try:
        return parse(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except _NOT_WHAT_IT_SHOULD_BE as error:
        raise ArchiveDamaged(f"{path} is damaged ({type(error).__name__}: {error})") from error
    except OSError as error:
        raise StorageFault(f"{path} cannot be read ({error.strerror}); mend that, then run again") from error


def save(path: Path, value: Any, *, indent: int | None = None, durable: bool = True) -> None:
    """Put JSON's values into the file: all of it, or nothing. `durable` as in `replacing`. Raises StorageFault."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    try:
        make_folder(path.parent)
        with replacing(path, durable=durable) as part:
            part.write_bytes(text.encode() + b"\n")
    except OSError as error:
        raise StorageFault(f"{path} cannot be written ({error.strerror}); mend that, then run again") from error
