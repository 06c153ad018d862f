"""The cost of syncing to disk, and the time that recovery takes after a kill.

    python -m benchmarks.safety [--articles N] [--runs N] [--work DIR] [--quick]

First, the whole command `seogo crawl` on a replica of Naver, alternately with and without syncing (libeatmydata turns
every sync, including DuckDB's, into a no-op; Debian: apt-get install libeatmydata1). Second, opening a large archive
after a clean exit, after a kill that left complete records, and after a kill in the middle of a record; for comparison,
`verify` and `rebuild`, which read everything.
"""

from __future__ import annotations

import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from benchmarks.documents import in_subprocess, make_archive
from benchmarks.support import SEOGO, Run, introduce, measured, options, spread, topic_file, work_folder
from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.server import Replica
from schemas.article import SEOUL

WANTED_COST, WANTED_SECONDS = 0.2, 2.0
_NO_SYNC = ("libeatmydata.so", "libeatmydata.so.1")
_LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/local/lib")

_KILLED = """
import os, signal, sys
from pathlib import Path
from benchmarks.documents import batch_of
from storage.archive import open_archive
from schemas.receipt import Receipt
from datetime import UTC, datetime
root, torn, number = Path(sys.argv[1]), sys.argv[2] == "torn", int(sys.argv[3])
with open_archive(root) as archive:
    receipt = Receipt(f"20990101T000000Z-{number:04}", "crawl", "benchmark", datetime.now(UTC))
    archive.start_run(receipt)
    for start in range(3):
        archive.store(receipt.run_id, batch_of(number * 1000 + start * 250, 250))
    if torn:
        archive._writer._file.write(b"\\x1f\\x8b\\x08 half a record")
    os.kill(os.getpid(), signal.SIGKILL)
"""

_OPEN = """
import sys, time
from pathlib import Path
from storage.archive import open_archive
began = time.monotonic()
with open_archive(Path(sys.argv[1])) as archive:
    print(time.monotonic() - began)
"""


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000, help="in the large archive")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    large, crawled, runs = (2000, 300, 1) if given.quick else (given.articles, 2000, given.runs)
    work = work_folder(given.work)
    introduce(f"safety: a crawl of a replica of {crawled:,} articles with and without syncing, {runs} times each")
    report_syncs(work, make_corpus(seed=1, articles=crawled, days=7, last=datetime.now(SEOUL)), runs)
    report_recovery(in_subprocess(make_archive, work / f"archive-of-{large}", large), large, runs)


# -- syncs


def report_syncs(work: Path, corpus: Corpus, runs: int) -> None:
    """Print the seconds of the whole command with and without syncing."""
    ways = {"with sync": {}, "no sync": {"LD_PRELOAD": _library()}}
    found: dict[str, list[Run]] = {name: [] for name in ways}
    with Replica(corpus) as naver:
        for turn in range(1 + runs):
            for name, variables in ways.items():
                run = _crawl(work, naver.url, variables)
                if turn:
                    found[name].append(run)
    for name, measured_runs in found.items():
        seconds = spread([run.seconds for run in measured_runs], ".2f")
        stored = measured_runs[0].receipt["outcomes"]["new"]
        print(f"  {name:12}{seconds:>26} s for {stored:,} new articles")
    safe, unsafe = (statistics.median(run.seconds for run in one) for one in found.values())
    verdict = "under" if safe / unsafe - 1 < WANTED_COST else "NOT under"
    print(f"  syncing adds {safe / unsafe - 1:+.1%}: {verdict} {WANTED_COST:.0%}\n")


def _crawl(work: Path, naver: str, variables: dict[str, str]) -> Run:
    archive = work / "archive"
    shutil.rmtree(archive, ignore_errors=True)
    command = [*SEOGO, "crawl", "--json", "--archive", archive, "--topic", topic_file(work)]
    return measured(command, work, {"SEOGO_NAVER": naver, **variables})


def _library() -> str:
    for folder in _LIBRARIES:
        for name in _NO_SYNC:
            if (path := Path(folder) / name).exists():
                return str(path)
    raise SystemExit(
        "libeatmydata is not installed: install it (Debian: apt-get install libeatmydata1), then run again."
    )


# -- recovery


def report_recovery(root: Path, articles: int, runs: int) -> None:
    """Print the seconds to open the archive in its own process, by how the previous run ended."""
    print(f"  opening an archive of {articles:,} articles, of which a killed run had stored the last 750:")
    ways: dict[str, Callable[[int], None]] = {
        "after a clean exit": lambda number: None,
        "after a kill, records complete": lambda number: _kill(root, "whole", number),
        "after a kill, a record torn": lambda number: _kill(root, "torn", number),
    }
    number = len(list((root / "captures").rglob("*.warc.gz")))
    for name, leave in ways.items():
        seconds = []
        for _ in range(runs):
            number += 1
            leave(number)
            seconds.append(float(_python(_OPEN, str(root)).stdout))
        verdict = "under" if statistics.median(seconds) < WANTED_SECONDS else "NOT under"
        print(f"  {name:30}{spread(seconds, '.2f'):>26} s: {verdict} {WANTED_SECONDS:g}")
    for command in ("verify", "rebuild"):
        began = time.monotonic()
        done = subprocess.run([*SEOGO, command, "--archive", root], capture_output=True, text=True, check=False)
        print(f"  seogo {command:24}{time.monotonic() - began:>12.1f} s  ({done.stdout.strip().splitlines()[-1]})")


def _kill(root: Path, how: str, number: int) -> None:
    done = _python(_KILLED, str(root), how, str(number), check=False)
    if done.returncode != -signal.SIGKILL:
        raise SystemExit(f"the process should have been killed, but ended with {done.returncode}: {done.stderr}")


def _python(code: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=check)


if __name__ == "__main__":
    main()
