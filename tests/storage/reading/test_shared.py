"""What is derived from a snapshot is made once, whoever asks, and not all of it is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.reading.shared import SharedSnapshot, Snapshot
from tests.support.archives import new_archive


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterator[Snapshot]:
    shared = SharedSnapshot(new_archive(tmp_path, 1))
    with shared.reading() as found:
        yield found
    shared.close()


def test_threads_that_ask_for_the_same_wait_for_the_first(snapshot: Snapshot) -> None:
    made: list[int] = []

    def make() -> int:
        time.sleep(0.05)
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: snapshot.kept("one", make), range(4))) == [1] * 4
    assert made == [1]


def test_the_values_that_were_used_last_are_kept_also_none(snapshot: Snapshot) -> None:
    made: list[str] = []

    def ask(name: str) -> None:
        assert snapshot.kept(name, lambda: made.append(name)) is None

    ask("used")
    for number in range(200):
        ask(str(number))
        ask("used")
    assert made.count("used") == 1
    ask("199")
    ask("0")
    assert made[-1] == "0"
    assert made.count("199") == 1
