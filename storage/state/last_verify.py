"""The time and the result of the last verification, in `state/last_verify.json`, for reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from storage.layout import LAST_VERIFY
from storage.state import json_file


@dataclass(frozen=True, slots=True)
class LastVerify:
    """The result of a verification. `ended_at` is aware; `first_fault` is empty if there is none."""

    ended_at: datetime
    faults: int
    first_fault: str
    articles: int
    files: int
    captures: int


def note(root: Path, found: LastVerify) -> None:
    """Store the result. Raises StorageFault."""
    json_file.save(root / LAST_VERIFY, {**asdict(found), "ended_at": found.ended_at.isoformat()}, durable=False)


def last(root: Path) -> LastVerify | None:
    """The stored result; None if there is none. Raises ArchiveDamaged if the file is damaged, StorageFault."""
    return json_file.load(root / LAST_VERIFY, _parsed)


def _parsed(value: dict[str, Any]) -> LastVerify:
    ended_at = datetime.fromisoformat(value["ended_at"])
    if ended_at.tzinfo is None:
        raise ValueError("a time has no zone")
    counts = {name: int(value[name]) for name in ("faults", "articles", "files", "captures")}
    return LastVerify(ended_at, first_fault=str(value.get("first_fault", "")), **counts)
