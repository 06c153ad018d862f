"""A run with nothing new, on a small archive and on a large one: the same requests, and the same time?

    python -m benchmarks.nothing_new [--articles N] [--runs N] [--work DIR] [--quick]

Two archives, of 100 and of 100,000 articles, made by the storage's own functions (some minutes, once for each --work).
Each first crawls a small replica of Naver; then the same crawl again, which finds nothing new, is measured on both in
turns: the whole command `seogo crawl`, from its start to its end.
"""

from __future__ import annotations

import statistics
from datetime import datetime
from pathlib import Path

from benchmarks.documents import apart, make_archive
from benchmarks.support import SEOGO, Run, introduce, measured, options, spread, topic_file, work_folder
from flows.replica.corpus import make_corpus
from flows.replica.server import Replica
from schemas.article import SEOUL

SMALL = 100
SAME = 0.1
"""The times count as the same when their medians differ by less than this share."""


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000, help="in the large archive")
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    large, runs = (2000, 3) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    archives = {size: apart(make_archive, work / f"archive-of-{size}", size) for size in (SMALL, large)}
    introduce("a run with nothing new, whole command, after a crawl that read the same sources")
    # Several articles an hour: whatever the hour, there are some in the window that is read again.
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
    """Requests and seconds by size, and how far they are apart."""
    print(f"  {'articles':>10}{'requests':>12}{'seconds':>32}{'processor, seconds':>32}")
    for size, runs in found.items():
        requests = "/".join(sorted({str(run.receipt["requests"]) for run in runs}))
        seconds, processor = (spread([getattr(run, name) for run in runs], ".3f") for name in ("seconds", "processor"))
        print(f"  {size:>10,}{requests:>12}{seconds:>32}{processor:>32}")
    small, large = (statistics.median(run.seconds for run in runs) for runs in found.values())
    apart_by = abs(large - small) / small
    same = "the same" if apart_by < SAME else "NOT the same"
    print(f"\n  the medians differ by {large / small - 1:+.1%}: {same} within {SAME:.0%}")


def _crawl(archive: Path, work: Path, naver: str) -> Run:
    command = [*SEOGO, "crawl", "--json", "--archive", archive, "--topic", topic_file(work)]
    return measured(command, work, {"SEOGO_NAVER": naver})


def _checked(run: Run) -> Run:
    if run.receipt["exit_reason"] != "nothing_new":
        raise SystemExit(f"a run that should find nothing new ended with {run.receipt['exit_reason']}.")
    return run


if __name__ == "__main__":
    main()
