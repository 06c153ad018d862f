"""When the archive was verified last, and what came of it: kept in `state/last_verify.json`, for reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from storage.layout import LAST_VERIFY
from storage.state import json_file


@dataclass(frozen=True, slots=True)
class LastVerify:
    """What a verification came to. `ended_at` is aware; `first_fault` is empty where there is none."""

    ended_at: datetime
    faults: int
    first_fault: str
    articles: int
    files: int
    captures: int


def note(root: Path, found: LastVerify) -> None:
    """Keep it. Raises StorageFault."""
    json_file.save(root / LAST_VERIFY, {**asdict(found), "ended_at": found.ended_at.isoformat()}, durable=False)


def last(root: Path) -> LastVerify | None:
    """What was kept; None where nothing was. Raises ArchiveDamaged where the file is damaged, StorageFault."""
    return json_file.load(root / LAST_VERIFY, _parsed)


def _parsed(value: dict[str, Any]) -> LastVerify:
    ended_at = datetime.fromisoformat(value["ended_at"])
    if ended_at.tzinfo is None:
        raise ValueError("a time without a zone")
    counts = {name: int(value[name]) for name in ("faults", "articles", "files", "captures")}
    return LastVerify(ended_at, first_fault=str(value.get("first_fault", "")), **counts)
