"""Work on the captures by several processes, also those of a Dask scheduler: the results are those of one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from schemas.errors import BadInput, StorageFault
from storage import executor
from storage.archive import open_archive
from storage.executor import Workers, pool_of
from storage.integrity.journals import read
from storage.integrity.journals.read import Progress
from storage.integrity.repair import rebuild, verify_archive
from tests.support.archives import contents, store_new
from tests.support.command import seogo
from tests.support.paths import ROOT

RUNS = 8


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("executor")
    for run in range(RUNS):
        with open_archive(folder) as archive:
            store_new(archive, 2 * run, 2 * run + 1, run=f"20260102T0{run}0405Z-000{run}")
    return folder


@pytest.fixture
def _a_task_for_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_TASK_FILES", 1)


@pytest.mark.usefixtures("_a_task_for_each_file")
def test_two_processes_find_what_one_finds(root: Path) -> None:
    seen: list[Progress] = []
    found = verify_archive(root, workers=Workers(2), on_progress=seen.append)
    assert (found.articles, found.captures, found.faults) == (2 * RUNS, 2 * RUNS, [])
    assert found == verify_archive(root)
    assert [one.files for one in seen] == list(range(1, RUNS + 1))
    assert (seen[-1].bytes, seen[-1].of_files) == (seen[-1].of_bytes, RUNS)


def _end(_: object) -> None:
    os._exit(1)


def test_a_process_that_ends_is_an_error_in_words(root: Path) -> None:
    with pytest.raises(StorageFault, match="fewer --workers"), pool_of(Workers(2), root, worth_it=True) as pool:
        list(pool.map(_end, [1]))
    with pytest.raises(StorageFault, match="fewer --workers"), pool_of(Workers(2), root, worth_it=True) as pool:
        pool.submit(_end, 1).result()


# -- Dask


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers in processes of their own."""
    folder = tmp_path_factory.mktemp("dask")
    told = folder / "scheduler.json"
    quiet = {"cwd": folder, "env": {**os.environ, "PYTHONPATH": str(ROOT)}, "stderr": subprocess.DEVNULL}
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)]
    processes = [subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", *words], **quiet)]  # type: ignore[call-overload]
    worker = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(told)]
    try:
        deadline = time.monotonic() + 60
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        command = [sys.executable, "-m", "distributed.cli.dask_worker", *worker]
        processes += [subprocess.Popen(command, **quiet) for _ in range(2)]  # type: ignore[call-overload]
        yield _address(told), processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _address(told: Path) -> str:
    """The scheduler's address, once both workers have registered."""
    from distributed import Client

    with Client(scheduler_file=str(told), timeout=60, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(2, timeout=60)
        return str(client.scheduler.address)


@pytest.mark.slow
@pytest.mark.usefixtures("_a_task_for_each_file")
def test_a_worker_of_a_scheduler_that_is_killed_costs_nothing(
    root: Path, scheduler: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, (first, _) = scheduler
    before, found = contents(root), verify_archive(root)
    with (
        pytest.raises(BadInput, match="All workers need the archive"),
        pool_of(Workers(scheduler=address), root.with_name("elsewhere"), worth_it=True),
    ):
        pass

    def kill(progress: Progress) -> None:
        if progress.files == 1:
            first.send_signal(signal.SIGKILL)

    assert verify_archive(root, workers=Workers(scheduler=address), on_progress=kill) == found
    assert first.wait(timeout=10) == -signal.SIGKILL
    assert rebuild(root, workers=Workers(scheduler=address)).left == []
    assert contents(root) == before


@pytest.mark.parametrize(
    ("name", "theirs", "said"),
    [
        ("python", "3.12.1.final.0", "has python 3.12, and this process 3.11"),
        ("seogo", None, r"has seogo \(none\), and this process 1"),
        ("duckdb", "1.5.0", "has duckdb 1.5.0, and this process 1"),
    ],
)
def test_a_worker_with_other_software_is_named(name: str, theirs: str | None, said: str) -> None:
    ours = {"python": "3.11.7.final.0"} | dict.fromkeys(("seogo", "duckdb", "pyarrow", "fastwarc", "pydantic"), "1")
    executor._check_versions("tcp://a:1: tcp://b:2", {**ours, "python": "3.11.2.final.0"}, ours)
    with pytest.raises(BadInput, match=said):
        executor._check_versions("tcp://a:1: tcp://b:2", {**ours, name: theirs}, ours)


def test_without_dask_the_extra_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match=r"seogo\[dask\]"):
        verify_archive(root, workers=Workers(scheduler="tcp://127.0.0.1:1"))


def test_a_scheduler_that_is_not_there_is_bad_input(root: Path) -> None:
    ran = seogo("verify", "--archive", root, "--scheduler", "not-a-scheme://")
    assert (ran.code, "no Dask scheduler can be reached there" in ran.err) == (Exit.BAD_INPUT, True)
    ran = seogo("verify", "--archive", root, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert (ran.code, "leave out one" in ran.err) == (Exit.BAD_INPUT, True)
