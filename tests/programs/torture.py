"""Kills a real crawl with SIGKILL at any step, and checks the archive after the next run.

    python -m tests.programs.torture [--kills 300] [--seed 1] [--processes 2]        (make torture)

First, a crawl runs undisturbed, while every step with a lasting effect is counted by kind: appending to a capture,
syncing, staging a file, each statement of a transaction, renaming, copying the snapshot, removing a marker file. Then
the same crawl is killed at random steps of every kind: before or after the step, in the middle of a write, or some
microseconds into a commit. Some runs are killed again during the recovery that follows. After one more run the archive
must equal the undisturbed one, and the server's log must not contain repeated requests except those in flight.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Any

import duckdb

from flows.pipeline import batches
from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl
from schemas.article import SEOUL
from storage.captures.reader import ScannedRecord, capture_names, scan
from storage.integrity.repair import verify_archive
from tests.programs.killing import Kill, Steps, drawn, instrument
from tests.support.paths import ROOT
from tests.support.topics import KEYS, demo_topic

NNEWS = "n.news.naver.com"
CONCURRENCY = 4
BATCH = 16
"""Finds per batch: few, so that a short crawl has several batches."""

LAST = datetime(2026, 1, 15, 12, 0, tzinfo=SEOUL)
LONGEST = 60.0
"""Seconds after which a crawl is considered hung."""

_CRAWLED = ("crawled_at:", "*Crawled at:")


# -- in the process that is killed


def crawl_once(root: Path, site: str, now: datetime, kill: Kill | None, counts: Any = None) -> None:
    """Run one crawl, which may be killed. `counts` receives the number of steps of each kind."""
    steps = Steps(kill)
    instrument(steps)
    crawl_now(root, site, now)
    if counts is not None:
        counts.put(dict(steps.counted))


def crawl_now(root: Path, site: str, now: datetime) -> None:
    """The crawl that is killed."""
    batches.BATCH = BATCH
    order = CrawlOrder(demo_topic(concurrency=CONCURRENCY), root, naver=site, keys=KEYS)
    asyncio.run(crawl(order, now=lambda: now))


# -- in the observing process


@dataclass
class Scene:
    """A replica, an archive of an earlier crawl, and the result of an undisturbed crawl."""

    naver: Replica
    work: Path
    before: Path
    expected: dict[str, Any] = field(default_factory=dict)
    steps: Counter[str] = field(default_factory=Counter)


def made_corpus() -> Corpus:
    return make_corpus(11, articles=260, presses=8, days=6, last=LAST)


@contextmanager
def scene(work: Path) -> Iterator[Scene]:
    """Set up the scene: a crawl twenty hours ago, then an undisturbed run of the crawl that will be killed."""
    before = work / "before"
    with Replica(made_corpus(), now=LAST - timedelta(hours=20)) as naver:
        run(before, naver, None)
        naver.clock.set(LAST)
        made = Scene(naver, work, before)
        root = copy_of(made, "undisturbed")
        made.steps = run(root, naver, None)
        made.expected = state_of(root)
        yield made


@cache
def forkserver() -> ForkServerContext:
    """A fork server that has imported everything already, which saves a second per process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.programs.torture"])
    # It does not inherit sys.path from this process.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *sys.path])
    try:
        ensure_running()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    return context


def run(root: Path, naver: Replica, kill: Kill | None) -> Counter[str]:
    """Run one crawl in its own process. Returns its steps, which are empty if it was killed."""
    return steps_of(crawl_once, root, naver.url, naver.clock.now, kill)


def steps_of(work: Callable[..., None], *args: Any) -> Counter[str]:
    """Run `work`, whose last argument but one is a Kill or None, in its own process. Returns its steps."""
    kill, context = args[-1], forkserver()
    counts = context.SimpleQueue()
    process = context.Process(target=work, args=(*args, counts))
    process.start()
    process.join(LONGEST)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"{work.__name__} hung ({kill})")
    if kill is not None and process.exitcode == -signal.SIGKILL:
        return Counter()
    assert process.exitcode == 0, f"{work.__name__} ended with {process.exitcode} ({kill})"
    return Counter(counts.get())


def survive(made: Scene, name: str, *kills: Kill) -> int:
    """Kill crawls one after another, crawl once more, and compare. Returns how many were killed."""
    root = copy_of(made, name)
    died = crawl_until_done(made, root, kills, run)
    check(made, root, kills)
    shutil.rmtree(root)
    return died


Run = Callable[[Path, Replica, Kill | None], Counter[str]]


def crawl_until_done(made: Scene, root: Path, kills: Sequence[Kill], run: Run) -> int:
    """Kill crawls one after another, and crawl once more. Nothing captured may be requested again."""
    died, requested = 0, Counter[str]()
    for kill in (*kills, None):
        captured = _captured(root)
        made.naver.log.clear()
        died += not run(root, made.naver, kill)
        targets = [e.target for e in made.naver.log.entries if e.host == NNEWS and "/article/" in e.target]
        again = captured & set(targets)
        assert not again, f"requested again, although captured: {again} ({', '.join(map(str, kills))})"
        requested.update(targets)
    # In flight: the request is open, or its response is not captured yet while the next request is already open.
    in_flight = sum(times - 1 for times in requested.values())
    assert in_flight <= 2 * CONCURRENCY * died, f"{in_flight} articles were requested again after {died} kills"
    return died


def check(made: Scene, root: Path, kills: Sequence[object]) -> None:
    """The archive must be that of the undisturbed crawl."""
    found = state_of(root)
    for what, expected in made.expected.items():
        assert found[what] == expected, f"{what} differ after {', '.join(map(str, kills))}"
    faults = verify_archive(root).faults
    assert faults == [], f"after {', '.join(map(str, kills))}: {faults}"


def state_of(root: Path) -> dict[str, Any]:
    """Everything that must not depend on kills: all except the times of fetching and the runs."""
    with duckdb.connect(str(root / "archive.duckdb"), read_only=True) as connection:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return sorted(connection.execute(sql).fetchall(), key=repr)

        # The length of a record is not known where a killed run captured the page: it is then read without it.
        capture, when = "capture_file, capture_offset, capture_length", "checked_at, refresh_at, gone_at"
        ours = f"run_id, {capture}, crawled_at"
        return {
            "articles": rows(f"SELECT * EXCLUDE ({ours}, file_sha256) FROM articles"),
            "superseded": rows(f"SELECT * EXCLUDE ({ours}, file_sha256) FROM superseded"),
            "duplicates": rows(f"SELECT * EXCLUDE ({ours}) FROM duplicates"),
            "frontier": rows(
                f"SELECT * EXCLUDE (run_id, {capture}, found_at, {when}), gone_at IS NOT NULL FROM frontier"
            ),
            # A story may get its articles in several steps.
            "events": rows("SELECT kind, id, revision, duplicate_of FROM events WHERE kind <> 'story'"),
            "near_duplicates": rows("FROM near_duplicates"),
            "story_members": rows("FROM story_members"),
            "quarantine": rows("SELECT id, reason FROM quarantine"),
            "cursors": rows("SELECT source, watermark FROM cursors"),
            "unprocessed": rows("SELECT url FROM unprocessed"),
            "files": _files(root),
            "staged": [path.name for path in (root / "state" / "staged").iterdir()],
            "marks": [name for name in ("open_capture", "unpublished") if (root / "state" / name).exists()],
        }


def _files(root: Path) -> dict[str, str]:
    """All Markdown files without the lines that contain the time of crawling."""
    return {
        path.relative_to(root).as_posix(): "".join(
            line for line in path.read_text("utf-8").splitlines(keepends=True) if not line.startswith(_CRAWLED)
        )
        for path in (root / "articles").rglob("*.md")
    }


def _captured(root: Path) -> set[str]:
    """The targets at n.news with a complete response in the captures."""
    prefix = f"https://{NNEWS}"
    return {
        met.url.removeprefix(prefix)
        for name in capture_names(root)
        for met in scan(root, name)
        if isinstance(met, ScannedRecord) and met.kind == "response" and met.url.startswith(prefix)
    }


def copy_of(made: Scene, name: str) -> Path:
    root = made.work / name
    shutil.copytree(made.before, root)
    return root


# -- the choice of kills


def plans(made: Scene, number: int, seed: int) -> Iterator[tuple[Kill, ...]]:
    """Plans with one kill each; every third plan also kills the recovery."""
    rng = random.Random(seed)
    first = drawn(made.steps, number, rng)
    early = Counter({kind: max(1, count // 8) for kind, count in made.steps.items()})
    second = drawn(early, number, rng)
    rng.shuffle(second)
    for index, kill in enumerate(first):
        yield (kill, second[index]) if index % 3 == 2 else (kill,)


def torture(kills: int, seed: int) -> Counter[str]:
    """Perform random kills. Returns their number by kind of step; raises AssertionError at the first difference."""
    died, began = Counter[str](), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="seogo-torture-") as work, scene(Path(work)) as made:
        for number, plan in enumerate(plans(made, kills, seed)):
            count = survive(made, f"killed-{number}", *plan)
            died.update([kill.kind for kill in plan][:count])
            if sum(died.values()) >= kills:
                break
            if number % 20 == 19:
                print(f"seed {seed}: {sum(died.values())} kills, {time.monotonic() - began:.0f} s", flush=True)
    return died


def main() -> None:
    """Run the kills in several processes, and print a summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the first process; each further process has the next one"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    share = -(-given.kills // given.processes)
    seeds = range(given.seed, given.seed + given.processes)
    # In separate processes: each has a replica, whose threads must not wait for those of another.
    with ProcessPoolExecutor(given.processes, multiprocessing.get_context("spawn")) as pool:
        died = sum(pool.map(torture, [share] * given.processes, seeds), Counter[str]())
    print(f"{sum(died.values())} kills survived: nothing lost, nothing duplicated, nothing unreadable.")
    print("at " + ", ".join(f"{kind} {number}" for kind, number in sorted(died.items())))


if __name__ == "__main__":
    # Under its real name, because the processes that it starts import it.
    importlib.import_module("tests.programs.torture").main()
