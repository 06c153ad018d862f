"""Locks between processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Timer

import pytest

from storage.locks import locked_file, locked_folder

LOCKS = [locked_file, locked_folder]


def place(tmp_path: Path, lock: Callable[..., AbstractContextManager[None]]) -> Path:
    return tmp_path if lock is locked_folder else tmp_path / "lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_one_holder_at_a_time(tmp_path: Path, lock: Callable[..., AbstractContextManager[None]]) -> None:
    path = place(tmp_path, lock)
    with lock(path), pytest.raises(BlockingIOError), lock(path):
        pytest.fail("two holders")
    with lock(path):
        pass


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_waited_for(tmp_path: Path, lock: Callable[..., AbstractContextManager[None]]) -> None:
    path = place(tmp_path, lock)
    held = lock(path)
    held.__enter__()
    Timer(0.1, held.__exit__, (None, None, None)).start()
    with lock(path, wait=60):
        pass


def test_a_folder_that_is_gone_is_not_created(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(FileNotFoundError), locked_folder(gone):
        pytest.fail("locked")
    assert not gone.exists()
