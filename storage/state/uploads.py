"""What waits to be uploaded to the object store of the captures, in `state/uploads.json`, for reports and alerts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveDamaged
from storage.layout import UPLOADS
from storage.state import json_file


@dataclass(frozen=True, slots=True)
class Uploads:
    """The spool after the last upload: how many finished files wait in it, and their size in bytes.

    `address`: of the object store. `since`: when the first of them should have been uploaded; None if none waits.
    `fault`: why it was not; empty if it was.
    """

    address: str
    waiting: int
    bytes: int
    since: datetime | None
    fault: str


def note(root: Path, address: str, waiting: int, size: int, fault: str) -> Uploads:
    """Store the result of an upload, in place of a file that is damaged, too. Raises StorageFault."""
    before = None
    with suppress(ArchiveDamaged):
        before = last(root)
    since = (before.since if before else None) or datetime.now(UTC).replace(microsecond=0)
    found = Uploads(address, waiting, size, since if waiting else None, fault)
    if found != before:
        value = {**asdict(found), "since": found.since.isoformat() if found.since else None}
        json_file.save(root / UPLOADS, value, durable=False)
    return found


def forget(root: Path) -> None:
    """For an archive without an object store."""
    (root / UPLOADS).unlink(missing_ok=True)


def last(root: Path) -> Uploads | None:
    """The result of the last upload; None if there was none. Raises ArchiveDamaged, StorageFault."""
    return json_file.load(root / UPLOADS, _parsed)


def _parsed(value: dict[str, Any]) -> Uploads:
    since = datetime.fromisoformat(value["since"]) if value["since"] else None
    return Uploads(str(value["address"]), int(value["waiting"]), int(value["bytes"]), since, str(value["fault"]))
