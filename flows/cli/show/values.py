"""One value: as people read it in a cell, and as programs read it in JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TextIO

from flows.cli.show.safe import JSON_ESCAPES, reader_left, shown
from flows.reports.text import moment
from schemas.article import SEOUL


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    with standard_output() as file:
        file.write(json_text(value, indent=2) + "\n")


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON in which every character that could control a terminal is escaped."""
    return json.dumps(plain(value), ensure_ascii=False, indent=indent, allow_nan=False).translate(JSON_ESCAPES)


def plain(value: Any) -> Any:
    """A value in the types of JSON: Korean time as ISO 8601 with offset, bytes as hex, NaN and infinity as null."""
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


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output inside the block. If its reader closes the pipe, the command ends."""
    try:
        yield sys.stdout
    except BrokenPipeError:
        reader_left()


def lines(name: str, value: Any) -> str:
    """The field `name` of an article for people. Reasons have commas of their own: each is on a line."""
    match name:
        case "reasons":
            return "\n".join(map(cell, value))
        case "models":
            return ", ".join(f"{cell(one['model'])} ({cell(one['team'])})" for one in value)
        case _:
            return cell(value)


def cell(value: Any) -> str:
    """A value for people, safe in a terminal: Korean time without offset, lists with commas."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return moment(value, "seconds") if value.tzinfo else str(value)
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
