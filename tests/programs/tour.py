"""Stops, kills and restarts server, worker, run and machine in random orders, and checks that crawls continue.

    python -m tests.programs.tour [--sequences 20] [--first-seed 1]      (make tour)

Each sequence begins in the middle of a crawl. Within two minutes of the last restart, a crawl must complete, with all
articles in the archive, or an alert must be sent. Exit code 1 if a sequence ends with neither.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flows.deployed.processes import Engine, below
from flows.replica.faults import Behaviour
from tests.support.servers.deployed import CRAWL, begun, crawl_plainly, everything_running, files_of
from tests.support.servers.prefect import FINAL, PATIENCE, Operator, Sink, until

WITHIN = 120.0
"""Seconds from the last restart to a completed crawl or an alert."""
CRAWL_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a sequence: its steps, the ends of the crawls after it, the number of alerts, and the fault."""

    steps: list[str]
    ends: list[str]
    alerts: int
    seconds: float
    fault: str


def stop_worker(engine: Engine) -> None:
    engine.stop_worker()


def kill_worker(engine: Engine) -> None:
    assert engine.worker is not None
    engine.worker.kill()
    engine.stop_worker()


def kill_run(engine: Engine) -> None:
    assert engine.worker is not None
    for process in below(engine.worker.pid):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def stop_server(engine: Engine) -> None:
    engine.stop_server()


def kill_server(engine: Engine) -> None:
    assert engine.server is not None
    os.killpg(engine.server.pid, signal.SIGKILL)
    engine.stop_server()


def restart_machine(engine: Engine) -> None:
    """In order: the worker ends its runs."""
    engine.stop()


def cut_power(engine: Engine) -> None:
    """Everything at once."""
    runs = below(engine.worker.pid) if engine.worker else []
    for process in [*runs, *(one.pid for one in (engine.worker, engine.server) if one)]:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    if engine.server:
        kill_server(engine)
    engine.stop()


def start_missing(engine: Engine) -> None:
    """The server, then the worker."""
    if engine.server is None:
        engine.start_server()
    if engine.worker is None:
        engine.start_worker()


def start_worker_first(engine: Engine) -> None:
    """As an init system without order would: the worker waits for the server."""
    if engine.worker is None:
        engine.start_worker()
    if engine.server is None:
        engine.start_server()


_OF_WORKER = (stop_worker, kill_worker, kill_run)
_OF_SERVER = (stop_server, kill_server)
_OF_BOTH = (restart_machine, cut_power)
_STARTS = (start_missing, start_worker_first)


def possible(engine: Engine) -> list[Callable[[Engine], None]]:
    """What can be done to the processes that are there."""
    there = [*(_OF_WORKER if engine.worker else ()), *(_OF_SERVER if engine.server else ())]
    there += _OF_BOTH if engine.worker and engine.server else ()
    return there + list(_STARTS if not (engine.worker and engine.server) else ())


def sequence(hand: Operator, sink: Sink, archive: Path, whole: dict[str, str], seed: int, *, steps: int = 0) -> Result:
    """One sequence of steps, and what came of it. `steps`: how many; 0: drawn too."""
    draw = random.Random(seed)
    until(lambda: hand.none_works() or None, PATIENCE, lambda: "a run of the last sequence does not end")
    begun(hand, archive)
    taken = []
    for _ in range(steps or draw.randint(2, 5)):
        step = draw.choice(possible(hand.engine))
        step(hand.engine)
        taken.append(step.__name__)
        time.sleep(draw.uniform(0, 3))
    start_missing(hand.engine)
    hand.naver.behaviour = Behaviour()
    return _watch(hand, sink, archive, whole, taken)


def _watch(hand: Operator, sink: Sink, archive: Path, whole: dict[str, str], taken: list[str]) -> Result:
    """Start a crawl every few seconds until one completes."""
    began, alerts, crawls = time.monotonic(), len(sink.received), []
    fault = "no crawl completed, and no alert was sent"
    while time.monotonic() - began < WITHIN:
        crawls.append(hand.start(CRAWL, archive=str(archive), create=True))
        if _completed(hand, crawls):
            fault = "" if files_of(archive) == whole else "a crawl completed without all articles"
            break
    else:
        fault = "" if len(sink.received) > alerts else fault
    ends = [hand.run(run)["state_name"] for run in crawls]
    return Result(taken, ends, len(sink.received) - alerts, time.monotonic() - began, fault)


def _completed(hand: Operator, crawls: Sequence[str]) -> bool:
    """Whether one of the crawls completes before the next one is due."""
    next_time = time.monotonic() + CRAWL_EVERY
    while time.monotonic() < next_time:
        if any(hand.run(run)["state_name"] == "Completed" for run in crawls):
            return True
        if all(hand.run(run)["state_type"] in FINAL for run in crawls):
            time.sleep(1)
            return False
        time.sleep(0.5)
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.sequences)
    with tempfile.TemporaryDirectory() as folder:
        faults = _tour(Path(folder), seeds)
    sys.stdout.write(f"{len(seeds)} sequences, {faults} faults\n")
    return 1 if faults else 0


def _tour(folder: Path, seeds: Sequence[int]) -> int:
    with Sink() as sink, everything_running(folder, sink) as hand:
        crawl_plainly(hand.naver.url, folder / "plain")
        whole = files_of(folder / "plain")
        results = [_printed(seed, sequence(hand, sink, folder / f"{seed}", whole, seed)) for seed in seeds]
    return sum(bool(result.fault) for result in results)


def _printed(seed: int, result: Result) -> Result:
    ends = ", ".join(result.ends)
    sys.stdout.write(
        f"{seed}: {', '.join(result.steps)}: {result.seconds:.0f} s, crawls: {ends}; {result.alerts} alerts"
        f"{f' FAULT: {result.fault}' if result.fault else ''}\n"
    )
    sys.stdout.flush()
    return result


if __name__ == "__main__":
    sys.exit(main())
