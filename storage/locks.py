"""Locks between processes. The kernel releases them when their process ends, for whatever reason."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL = 0.05


@contextmanager
def locked_file(path: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock of a file during the block. It is created if there is none, and stays.

    Waits up to `wait` seconds for another holder. Raises BlockingIOError if it still has the lock, and OSError.
    """
    with _locked(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), time.monotonic() + wait):
        yield


@contextmanager
def locked_folder(folder: Path, *, wait: float = 0.0) -> Iterator[None]:
    """The same for a folder, which must exist."""
    with _locked(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), time.monotonic() + wait):
        yield


@contextmanager
def _locked(descriptor: int, until: float) -> Iterator[None]:
    try:
        while not _lock(descriptor):
            if time.monotonic() >= until:
                raise BlockingIOError
            time.sleep(_POLL)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
