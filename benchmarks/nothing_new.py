"""A run that finds nothing new, on a small and on a large archive: does it take the same requests and time?

    python -m benchmarks.nothing_new [--articles N] [--runs N] [--work DIR] [--quick]

Two archives of 100 and of 100,000 articles are created through the storage API (some minutes, once per --work). Each
first crawls a small replica of Naver; then the same crawl, which finds nothing new, is measured on both alternately:
the whole command `seogo crawl`, from start to end.
"""

from __future__ import annotations

import statistics
from datetime import datetime
from pathlib import Path

from benchmarks.documents import in_subprocess, make_archive
from benchmarks.support import SEOGO, Run, introduce, measured, options, spread, topic_file, work_folder
from flows.replica.corpus.articles import make_corpus
from flows.replica.server import Replica
from schemas.article import SEOUL

SMALL = 100
SAME = 0.1
"""The times count as equal if their medians differ by less than this fraction."""


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000, help="in the large archive")
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    large, runs = (2000, 3) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    archives = {size: in_subprocess(make_archive, work / f"archive-of-{size}", size) for size in (SMALL, large)}
    introduce("a run with nothing new, whole command, after a crawl that read the same sources")
    # Several articles per hour, so that the overlapping window contains some at any time of day.
    corpus = make_corpus(seed=1, articles=600, days=3, last=datetime.now(SEOUL))
    found: dict[int, list[Run]] = {size: [] for size in archives}
    with Replica(corpus) as naver:
        for turn in range(1 + runs):
            for size, archive in archives.items():
                run = _crawl(archive, work, naver.url)
                if turn:
                    found[size].append(_checked(run))
    report(found)


def report(found: dict[int, list[Run]]) -> None:
    """Print requests and seconds by size, and the difference."""
    print(f"  {'articles':>10}{'requests':>12}{'seconds':>32}{'CPU seconds':>32}")
    for size, runs in found.items():
        requests = "/".join(sorted({str(run.receipt["requests"]) for run in runs}))
        seconds, processor = (spread([getattr(run, name) for run in runs], ".3f") for name in ("seconds", "processor"))
        print(f"  {size:>10,}{requests:>12}{seconds:>32}{processor:>32}")
    small, large = (statistics.median(run.seconds for run in runs) for runs in found.values())
    difference = large / small - 1
    same = "equal" if abs(difference) < SAME else "NOT equal"
    print(f"\n  the medians differ by {difference:+.1%}: {same} within {SAME:.0%}")


def _crawl(archive: Path, work: Path, naver: str) -> Run:
    command = [*SEOGO, "crawl", "--json", "--archive", archive, "--topic", topic_file(work)]
    return measured(command, work, {"SEOGO_NAVER": naver})


def _checked(run: Run) -> Run:
    if run.receipt["exit_reason"] != "nothing_new":
        raise SystemExit(f"the run should have found nothing new, but ended with {run.receipt['exit_reason']}.")
    return run


if __name__ == "__main__":
    main()
