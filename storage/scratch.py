"""Folders for temporary files of an archive: deleted at the end, and also those that a killed process has left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.files import make_folder

_PREFIX = "scratch-"
_YOUNG = 60.0
"""Seconds in which a folder is not deleted: its process may be about to lock it."""


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A folder below `state/` of the archive at `root`, until the block ends. Raises OSError."""
    state = root / "state"
    make_folder(state)
    _remove_abandoned(state)
    with tempfile.TemporaryDirectory(dir=state, prefix=_PREFIX) as folder, _locked(Path(folder)):
        yield Path(folder)


def _remove_abandoned(state: Path) -> None:
    """Remove folders whose process has ended. The lock of a process ends with it."""
    for folder in state.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # in use, or removed by another process
            if time.time() - folder.stat().st_mtime > _YOUNG:
                with _locked(folder):
                    shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises BlockingIOError if another process holds the lock."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
