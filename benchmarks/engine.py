"""What Prefect adds to a crawl: the same crawl as a command, and as a run of a deployment on this machine.

    python -m benchmarks.engine [--articles N] [--runs N] [--work DIR] [--quick]

Each round crawls the same replica of Naver into a new archive and then again, with nothing new: with `seogo crawl`, and
with a run of the deployment that is requested through the API. The seconds are what a user waits: from the call to the
end, and from the request for a run to its final state. Server, database and worker are already running.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.support import SEOGO, introduce, measured, options, spread, topic_file, work_folder
from flows.deployed.local import engine_at
from flows.deployed.processes import Engine, below
from flows.replica.corpus.articles import make_corpus
from flows.replica.server import Replica
from schemas.article import SEOUL

DEPLOYMENT = "crawl/crawl-every-15-minutes"
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
MB = 1e6
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: total seconds, seconds in the flow's process, CPU seconds, peak memory in bytes, task runs."""

    seconds: float
    inside: float
    processor: float
    peak: int
    tasks: int


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    articles, runs = (100, 1) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    introduce(f"what Prefect adds to a crawl of a replica of {articles} articles")
    found: dict[str, list[Figures]] = {}
    corpus = make_corpus(seed=1, articles=articles, days=3, last=datetime.now(SEOUL))
    topic = topic_file(work)
    home, more = work / "prefect", {"SEOGO_TOPIC": str(topic)}
    with Replica(corpus) as naver, engine_at(home, naver=naver, more=more) as engine, _client(engine) as client:
        ways = _ways(client, engine, work, topic, naver.url)
        for turn in range(1 + runs):
            for name, figures in _turn(ways, work):
                if turn:
                    found.setdefault(name, []).append(figures)
        _servers(engine)
    report(found)


def report(found: dict[str, list[Figures]]) -> None:
    """Print the median (minimum to maximum) of each figure."""
    columns: dict[str, Callable[[Figures], float]] = {
        "seconds": lambda one: one.seconds,
        "in its process": lambda one: one.inside,
        "CPU": lambda one: one.processor,
        "peak MB": lambda one: one.peak / MB,
        "task runs": lambda one: one.tasks,
    }
    print("  | | " + " | ".join(columns) + " |\n  |---" + "|---" * len(columns) + "|")
    for name, runs in sorted(found.items()):
        cells = [
            spread([of(run) for run in runs], ".0f" if "MB" in c or "task" in c else ".2f") for c, of in columns.items()
        ]
        print(f"  | {name} | " + " | ".join(cells) + " |")


def _turn(ways: dict[str, Callable[[Path], Figures]], work: Path) -> Iterator[tuple[str, Figures]]:
    """Crawl twice into a new archive, each way."""
    for way, crawl in ways.items():
        archive = work / f"{way.replace(' ', '-')}-{time.monotonic_ns()}"
        for what in ("first crawl", "nothing new"):
            yield f"{what}, {way}", crawl(archive)


def _ways(
    client: httpx.Client, engine: Engine, work: Path, topic: Path, naver: str
) -> dict[str, Callable[[Path], Figures]]:
    def by_command(archive: Path) -> Figures:
        command: list[str | Path] = [*SEOGO, "crawl", "--json", "--archive", archive, "--topic", topic]
        run = measured(command, work, {"SEOGO_NAVER": naver})
        return Figures(run.seconds, run.seconds, run.processor, run.peak, 0)

    def by_deployment(archive: Path) -> Figures:
        return _deployed(client, engine, archive)

    return {"seogo crawl": by_command, "deployment": by_deployment}


def _deployed(client: httpx.Client, engine: Engine, archive: Path) -> Figures:
    deployment = client.get(f"deployments/name/{DEPLOYMENT}").raise_for_status().json()
    parameters = {"archive": str(archive), "create": True}
    assert engine.worker is not None
    with _watched(engine.worker.pid) as seen:
        began = time.monotonic()
        asked = posted(client, f"deployments/{deployment['id']}/create_flow_run", {"parameters": parameters})
        while (run := client.get(f"flow_runs/{asked['id']}").json())["state_type"] not in FINAL:
            time.sleep(0.05)
        seconds = time.monotonic() - began
    if run["state_type"] != "COMPLETED":
        raise SystemExit(f"the run ended as {run['state']}")
    mine = {"flow_runs": {"id": {"any_": [asked["id"]]}}}
    tasks = posted(client, "task_runs/count", mine)
    return Figures(seconds, run["total_run_time"], seen["processor"], int(seen["peak"]), tasks)


def posted(client: httpx.Client, path: str, body: Any) -> Any:
    """POST to the server; retried while its database is busy."""
    for _ in range(10):
        answer = client.post(path, json=body)
        if answer.status_code != 503:
            break
        time.sleep(1)
    return answer.raise_for_status().json()


@contextmanager
def _client(engine: Engine) -> Iterator[httpx.Client]:
    """A client of the server's API. Pauses all deployments."""
    with httpx.Client(base_url=f"{engine.api}/", timeout=90, trust_env=False) as client:
        for one in posted(client, "deployments/filter", {}):
            client.patch(f"deployments/{one['id']}", json={"paused": True}).raise_for_status()
        yield client


@contextmanager
def _watched(parent: int) -> Iterator[dict[str, float]]:
    """Peak memory of the largest descendant of `parent`, and the CPU time of all, sampled from /proc."""
    seen: dict[str, float] = {"peak": 0, "processor": 0}
    times: dict[int, float] = {}
    before = set(below(parent))  # processes of the previous run that are still ending
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for pid in below(parent):
                if pid not in before and (figures := _of_process(pid)) is not None:
                    seen["peak"], times[pid] = max(seen["peak"], figures[0]), figures[1]

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        seen["processor"] = sum(times.values())


def _of_process(pid: int) -> tuple[int, float] | None:
    """Peak resident memory in bytes and CPU seconds; None if the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    peak = [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")]
    return (peak[0] if peak else 0), (int(stat[11]) + int(stat[12])) / _TICK


def _servers(engine: Engine) -> None:
    """Print the memory of the permanent processes."""
    standing: dict[str, Any] = {"server": engine.server, "worker": engine.worker}
    for name, process in standing.items():
        figures = [_of_process(pid) for pid in (process.pid, *below(process.pid))]
        peak = sum(one[0] for one in figures if one)
        print(f"  the {name} uses {peak / MB:.0f} MB (sum of the peaks of its processes)")


if __name__ == "__main__":
    main()
