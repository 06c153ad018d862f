"""Which process holds the lease of an archive. The lock is not taken for that, as it could keep a run from starting."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ValidationError


class Holder(BaseModel):
    """The process that holds the lease, according to `state/holder.json`."""

    pid: int
    host: str
    since: AwareDatetime

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def holder(state: Path) -> Holder | None:
    """The process of this machine that holds the lease; None if there is none. Raises OSError."""
    try:
        signed = Holder.model_validate_json((state / "holder.json").read_bytes())
    except (FileNotFoundError, ValidationError):  # a damaged file names no process
        return None
    return signed if _holds(state / "lock", signed.pid) else None


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
