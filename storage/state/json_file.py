"""A small JSON file: validated when it is read, replaced atomically."""

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
"""The exceptions that Python raises for values of an unexpected shape."""


def load(path: Path, parse: Callable[[Any], T]) -> T | None:
    """The content of the file, converted from JSON values by `parse`; None if there is no file.

    Raises ArchiveDamaged if it is not JSON or not what `parse` expects, StorageFault if it cannot be read.
    """
    try:
        return parse(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except _NOT_WHAT_IT_SHOULD_BE as error:
        raise ArchiveDamaged(f"{path} is damaged ({type(error).__name__}: {error})") from error
    except OSError as error:
        raise StorageFault(f"{path} cannot be read ({error.strerror}). Correct that, then run again.") from error


def save(path: Path, value: Any, *, indent: int | None = None, durable: bool = True) -> None:
    """Replace the file with JSON values, atomically. `durable` as in `replacing`. Raises StorageFault."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    try:
        make_folder(path.parent)
        with replacing(path, durable=durable) as part:
            part.write_bytes(text.encode() + b"\n")
    except OSError as error:
        raise StorageFault(f"{path} cannot be written ({error.strerror}). Correct that, then run again.") from error
