"""The lease of an archive, which admits one writing process.

The lease is a kernel lock on a separate file (not on the database, whose lock DuckDB loses when the same process opens
the file without DuckDB), and one on the state folder, because a lock file can be deleted. The kernel releases both when
the process ends, for whatever reason. `holder.json`, next to the lock file, names the process that holds them. Several
machines that may write to one archive need a lease over machines besides (`fence.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from schemas.article import SEOUL
from schemas.errors import ArchiveBusy, ArchiveError, StorageFault
from storage.files import make_folder
from storage.layout import check_path
from storage.state import json_file
from storage.state.fence import fenced

_UNKNOWN_HOLDER = "another process is writing to it"
_POLL = 0.05


@contextmanager
def leased(root: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lease of the archive at `root`, which is created if there is none. Raises ArchiveBusy, StorageFault."""
    check_path(root)
    state = root / "state"
    try:
        make_folder(state / "staged")
    except OSError as error:
        raise StorageFault(f"{root} cannot be created: {error.strerror}. Choose another with --archive DIR.") from error
    with lease(state, now=datetime.now(UTC), wait=wait), fenced(root, wait=wait):
        yield


@contextmanager
def lease(state: Path, *, now: datetime, wait: float = 0.0) -> Iterator[None]:
    """Hold the lease of the archive whose state folder is `state`, during the block.

    Waits up to `wait` seconds for another holder. Raises ArchiveBusy, which names the holder and its start, and
    StorageFault.
    """
    lock, until = FileLock(state / "lock", timeout=wait), time.monotonic() + wait
    try:
        lock.acquire()
        folder = _lock_folder(state, until)
        _sign(state, now)
    except Timeout as error:
        raise ArchiveBusy(
            f"{state.parent} is busy: {_holder(state)}. Try again, or wait with --wait SECONDS."
        ) from error
    except BlockingIOError as error:
        lock.release()
        raise ArchiveBusy(
            f"{state.parent} is busy: {_holder(state)} (its lock file was deleted meanwhile). Wait until it has ended."
        ) from error
    except OSError as error:
        lock.release()
        raise StorageFault(
            f"{state} cannot be written to: {error.strerror}. Free space, or correct the permissions or limits."
        ) from error
    try:
        yield
    finally:
        os.close(folder)
        lock.release()


def _lock_folder(state: Path, until: float) -> int:
    """An open descriptor of the folder, locked. Raises BlockingIOError if another process has it after `until`."""
    descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                raise
            time.sleep(_POLL)
        except OSError:  # a file system without locks on folders (NFS): the lock file must suffice
            return descriptor
        else:
            return descriptor


def _sign(state: Path, now: datetime) -> None:
    card = {"pid": os.getpid(), "host": socket.gethostname(), "since": now.isoformat(timespec="seconds")}
    # Neither synced nor replaced atomically: it describes a process, which does not survive a power cut.
    (state / "holder.json").write_text(json.dumps(card), "utf-8")


def _holder(state: Path) -> str:
    try:
        return json_file.load(state / "holder.json", _described) or _UNKNOWN_HOLDER
    except ArchiveError:  # half-written, or damaged
        return _UNKNOWN_HOLDER


def _described(card: dict[str, Any]) -> str:
    since = datetime.fromisoformat(card["since"]).astimezone(SEOUL)
    return f"process {card['pid']} on {card['host']} has been writing to it since {since:%Y-%m-%d %H:%M:%S}"
