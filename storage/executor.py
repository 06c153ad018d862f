"""Who does work that is spread over many files: this process, a pool of processes, or the workers of a Dask scheduler.

All of it is submitted to a `concurrent.futures.Executor`. A task is a function of a module, with values that can be
pickled.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from schemas.errors import BadInput, StorageFault

if TYPE_CHECKING:
    from distributed import Client

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2
"""Tasks that are submitted for each worker: one that runs, and one that waits."""

_CONNECT_SECONDS = 10
_SAME = ("seogo", "duckdb", "pyarrow", "fastwarc", "pydantic")
"""Packages of which all workers need the same version: rows are compared by DuckDB's hashes."""


@dataclass(frozen=True, slots=True)
class Workers:
    """`count` processes (None: one for each core, if the work is worth it; 1: this process), or a Dask `scheduler`."""

    count: int | None = None
    scheduler: str | None = None


HERE_ALONE = Workers(1)


class _InProcess(Executor):
    """Does each task at once, in this thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  the future raises it
            future.set_exception(error)
        return future


class Pool:
    """An executor, and how many tasks it works at once."""

    def __init__(self, executor: Executor, size: int) -> None:
        self._executor = executor
        self._size = size

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Begin one task."""
        return self._executor.submit(function, *args, **kwargs)

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """The results in the order of the items. At most two items for each worker are under way at any time."""
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(self._executor.submit(function, item))
                if len(waiting) >= self._most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    @property
    def _most(self) -> int:
        return 1 if isinstance(self._executor, _InProcess) else _AHEAD * self._size


HERE = Pool(_InProcess(), 1)
"""Does everything in this process."""


@contextmanager
def pool_of(workers: Workers, root: Path, *, worth_it: bool) -> Iterator[Pool]:
    """The pool for work on the archive at `root`. `worth_it`: whether it takes longer than the start of processes.

    Raises BadInput if the scheduler cannot be used, and StorageFault if a worker was lost inside the block.
    """
    if workers.scheduler is not None:
        with _dask(workers.scheduler, root) as (executor, number):
            yield Pool(executor, number)
        return
    count = workers.count or (_cores() if worth_it else 1)
    if count == 1:
        yield HERE
        return
    # Not forked: DuckDB's threads would be lost. Ctrl-C is for this process alone.
    context = get_context("spawn")
    try:
        with ProcessPoolExecutor(count, context, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as executor:
            yield Pool(executor, count)
    except BrokenProcessPool as error:
        raise StorageFault(
            "A worker process ended unexpectedly, possibly because memory is short. Run again with fewer --workers."
        ) from error


def _cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# -- Dask


@contextmanager
def _dask(scheduler: str, root: Path) -> Iterator[tuple[Executor, int]]:
    try:
        from distributed import Client
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise BadInput("--scheduler needs Dask: pip install 'seogo[dask]'.") from error
    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise BadInput(f"{scheduler}: no Dask scheduler can be reached there ({error}).") from error
    with client:
        number = _checked(client, scheduler, root)
        try:
            yield client.get_executor(pure=False), number  # type: ignore[no-untyped-call]
        except (KilledWorker, CommClosedError, CancelledError) as error:
            raise StorageFault(f"{scheduler}: its workers were lost ({error}). Start some, then run again.") from error


def _checked(client: Client, scheduler: str, root: Path) -> int:
    """The number of tasks that the workers do at once. All of them must have this software, and the archive."""
    threads: Mapping[str, int] = client.nthreads()  # type: ignore[no-untyped-call]
    if not threads:
        raise BadInput(f"{scheduler}: the scheduler has no workers. Start some: dask worker {scheduler}")
    found = cast("dict[str, Any]", client.get_versions(packages=_SAME))
    for where, had in {"the scheduler": found["scheduler"], **found["workers"]}.items():
        _check_versions(f"{scheduler}: {where}", (had or {}).get("packages") or {}, found["client"]["packages"])
    for worker, is_there in client.run(os.path.isdir, str(root.resolve())).items():
        if not is_there:
            raise BadInput(f"{scheduler}: {worker} has no directory {root.resolve()}. All workers need the archive.")
    return sum(threads.values())


def _check_versions(where: str, had: Mapping[str, str | None], wanted: Mapping[str, str | None]) -> None:
    names = ("python",) if where.endswith("the scheduler") else ("python", *_SAME)
    for name in names:
        theirs, ours = _release(name, had.get(name)), _release(name, wanted.get(name))
        if theirs != ours:
            raise BadInput(f"{where} has {name} {theirs or '(none)'}, and this process {ours}. Install the same.")


def _release(name: str, version: str | None) -> str | None:
    """The part of a version that has to be the same: of Python, `3.11`."""
    return ".".join(version.split(".")[:2]) if version and name == "python" else version
