"""Which process holds the lease of an archive. The lock is not taken for that, as it could keep a run from starting."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveDamaged
from storage.state import json_file


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lease, according to `state/holder.json`."""

    pid: int
    host: str
    since: datetime

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def holder(state: Path) -> Holder | None:
    """The process of this machine that holds the lease; None if there is none. Raises StorageFault, OSError."""
    try:
        signed = json_file.load(state / "holder.json", _signed)
    except ArchiveDamaged:  # a damaged file names no process
        return None
    return signed if signed and _holds(state / "lock", signed.pid) else None


def _signed(value: dict[str, Any]) -> Holder:
    since = datetime.fromisoformat(value["since"])
    if since.tzinfo is None:
        raise ValueError("a time has no zone")
    return Holder(int(value["pid"]), str(value["host"]), since)


def _holds(lock: Path, pid: int) -> bool:
    """Whether a process has locked a file; if the system does not list locks, whether the process exists."""
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text("ascii").splitlines()]
        inode = str(lock.stat().st_ino)
    except FileNotFoundError:
        return lock.exists() and _exists(pid)
    # By process and inode. Devices cannot be compared: on Btrfs, `stat` and the kernel number them differently.
    return any(words[1] == "FLOCK" and words[4] == str(pid) and words[5].rpartition(":")[2] == inode for words in locks)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it belongs to another user
        return True
    return True
