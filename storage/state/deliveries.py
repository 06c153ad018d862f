"""How far each webhook has received the changes, in `state/webhooks.json`. Written after each answer of a receiver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from schemas.errors import ArchiveBusy, ArchiveDamaged
from storage.files import make_folder
from storage.layout import WEBHOOKS, WEBHOOKS_LOCK
from storage.state import json_file


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A change that a receiver refused too often. It can be read again in the change feed by `seq`."""

    seq: int
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """The state of one webhook. All changes up to `cursor` were received, were not wanted, or are dead letters.

    `refusals`: how often the next change was refused. `fault`: why the newest attempt failed (empty: it did not).
    Nothing is sent before `retry_at`. `disabled`: the receiver said that it is gone for good.
    """

    cursor: int
    refusals: int = 0
    faults: int = 0
    fault: str = ""
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    disabled: bool = False
    dead: tuple[DeadLetter, ...] = ()


def load(root: Path) -> dict[str, Delivery]:
    """The state of each webhook by name. Raises ArchiveDamaged, StorageFault."""
    try:
        return json_file.load(root / WEBHOOKS, _parsed) or {}
    except ArchiveDamaged as error:
        raise ArchiveDamaged(
            f"{error}. Remove it: the webhooks then begin with the changes of the newest run; what they lack besides"
            " is in the change feed (seogo export --since)."
        ) from error


def save(root: Path, deliveries: Mapping[str, Delivery]) -> None:
    """Replace the file. Raises StorageFault."""
    json_file.save(root / WEBHOOKS, {name: _plain(asdict(one)) for name, one in deliveries.items()})


@contextmanager
def delivering(root: Path) -> Iterator[None]:
    """Inside the block, no other process sends changes of this archive. Raises ArchiveBusy at once."""
    lock = FileLock(root / WEBHOOKS_LOCK, timeout=0)
    make_folder(lock_folder := (root / WEBHOOKS_LOCK).parent)
    try:
        lock.acquire()
    except Timeout as error:
        raise ArchiveBusy(f"{lock_folder.parent}: another process is sending changes to the webhooks.") from error
    try:
        yield
    finally:
        lock.release()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _parsed(value: dict[str, Any]) -> dict[str, Delivery]:
    return {name: _delivery(one) for name, one in value.items()}


def _delivery(one: dict[str, Any]) -> Delivery:
    dead = tuple(DeadLetter(int(d["seq"]), _time(d["at"]), str(d["reason"])) for d in one["dead"])
    since, retry_at = (_time(one[name]) if one[name] else None for name in ("failing_since", "retry_at"))
    counts = {name: int(one[name]) for name in ("cursor", "refusals", "faults")}
    return Delivery(
        **counts,
        fault=str(one["fault"]),
        failing_since=since,
        retry_at=retry_at,
        disabled=bool(one["disabled"]),
        dead=dead,
    )


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time has no zone")
    return found
