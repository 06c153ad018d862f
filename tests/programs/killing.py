"""Kills a process at a chosen step with a lasting effect. Used by the programs that do so at random."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import files
from storage.captures import writer
from storage.database import publisher, snapshot
from storage.database.writer import Database
from storage.journal import staging


@dataclass(frozen=True)
class Kill:
    """When a process is killed: at the `nth` step of a kind; `how` is `before`, `after`, `half` or `during`."""

    kind: str
    nth: int
    how: str
    microseconds: int = 0

    def __str__(self) -> str:
        return f"{self.how} {self.kind} {self.nth}"


class Steps:
    """Counts the steps of this process, and kills it at the chosen one."""

    def __init__(self, kill: Kill | None) -> None:
        self.counted: Counter[str] = Counter()
        self._kill = kill

    def around(
        self, kind: str, step: Callable[..., Any], half: Callable[..., object] | None = None
    ) -> Callable[..., Any]:
        """Wrap a step, so that the process can be killed before, after or during it."""

        def stepped(*args: Any, **kwargs: Any) -> Any:
            how = self._next(kind)
            if how == "half" and half is not None:
                half(*args, **kwargs)
            if how in ("before", "half"):
                die()
            if how == "during":
                threading.Thread(target=self._die_soon, daemon=True).start()
            result = step(*args, **kwargs)
            if how is not None:
                die()
            return result

        return stepped

    def _next(self, kind: str) -> str | None:
        self.counted[kind] += 1
        kill = self._kill
        return kill.how if kill and (kill.kind, kill.nth) == (kind, self.counted[kind]) else None

    def _die_soon(self) -> None:
        assert self._kill is not None
        time.sleep(self._kill.microseconds / 1e6)
        die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # until the signal is delivered


def instrument(steps: Steps) -> None:
    """Instrument the steps between archive and disk. The snapshot is published after every batch."""
    publisher.PUBLISH_EVERY = publisher._PAUSE = 0
    writer.write_all = steps.around("append", writer.write_all, _half_append)
    staging._fill = steps.around("stage", staging._fill, _half_append)
    for module in (writer, staging, files, snapshot):
        module.os = _Os(steps)  # type: ignore[attr-defined]
    snapshot._copy = steps.around("snapshot", snapshot._copy, _half_copy)
    for name in ("replace", "rename", "unlink"):
        setattr(Path, name, steps.around(name, getattr(Path, name)))
    Database.execute = steps.around("statement", Database.execute)  # type: ignore[method-assign]
    Database.upsert = steps.around("upsert", Database.upsert)  # type: ignore[method-assign]
    Database.insert = steps.around("insert", Database.insert)  # type: ignore[method-assign]
    Database.commit = steps.around("commit", Database.commit)  # type: ignore[method-assign]
    Database.checkpoint = steps.around("checkpoint", Database.checkpoint)  # type: ignore[method-assign]


class _Os:
    """The module `os` with instrumented syncs."""

    def __init__(self, steps: Steps) -> None:
        self.fsync = steps.around("sync", os.fsync)
        self.fdatasync = steps.around("sync", os.fdatasync)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def _half_append(file: Any, data: bytes) -> None:
    file.write(data[: len(data) // 2])


def _half_copy(source: Path, target: Path) -> None:
    data = source.read_bytes()
    target.write_bytes(data[: len(data) // 2])


# -- the choice of kills


def ways(kind: str) -> tuple[str, ...]:
    """How a process can be killed at a step of this kind."""
    match kind:
        case "append" | "stage" | "snapshot":
            return ("before", "half", "after")
        case "commit" | "checkpoint":
            return ("before", "during", "after")
        case _:
            return ("before", "after")


def drawn(steps: Counter[str], number: int, rng: random.Random) -> list[Kill]:
    """Kills at steps of every kind in turn, at random positions."""
    kinds = sorted(kind for kind, count in steps.items() if count)
    kills = []
    for index in range(number):
        kind = kinds[index % len(kinds)]
        options = ways(kind)
        how = options[index // len(kinds) % len(options)]
        kills.append(Kill(kind, rng.randint(1, steps[kind]), how, rng.randint(0, 4000)))
    return kills
