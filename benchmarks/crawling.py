"""A whole crawl without throttling, from URL to row and file, compared with Scrapy.

    python -m benchmarks.crawling [--articles N] [--runs N] [--peers-python PYTHON] [--work DIR] [--quick]

nginx serves generated article pages of about 200 KB (compressed in advance) on this machine. seogo is the real command,
`seogo crawl --from-file`, in its own process; Scrapy is `benchmarks.scrapy_peer`, which documents what it does and does
not do. Both send 16 concurrent requests, obey robots.txt and run alternately, so that a slow phase of the machine
affects both.
"""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.nginx import nginx
from benchmarks.pages import make_pages
from benchmarks.peers import peers_python
from benchmarks.support import SEOGO, Run, introduce, measured, options, spread, topic_file, work_folder

PADDING = 190_000
CONCURRENCY = 16
WANTED = 2.0
LOOP_STAGES, THREAD_STAGES = ("capture", "parse"), ("store", "write")
AFTERWARDS = ("near-duplicates", "snapshot", "search index")


@dataclass(frozen=True, slots=True)
class Measured:
    """One crawl of `articles`: the whole command, and the crawl itself without start-up and shutdown."""

    articles: int
    run: Run
    crawl_seconds: float
    stages: dict[str, float]

    @property
    def whole(self) -> float:
        """Articles per second of the whole command."""
        return self.articles / self.run.seconds

    @property
    def alone(self) -> float:
        """Articles per second of the crawl itself."""
        return self.articles / self.crawl_seconds


class Comparison:
    """Runs both crawlers on the same pages."""

    def __init__(self, work: Path, python: Path, addresses: Path, site: str) -> None:
        self._work = work
        self._python = python
        self._addresses = addresses
        self._site = site
        self._articles = len(addresses.read_text("utf-8").split())
        self._topic = topic_file(work, CONCURRENCY)

    def seogo(self) -> Measured:
        """`seogo crawl` into a new archive."""
        archive = self._fresh("archive")
        command = [*SEOGO, "crawl", "--json", "--archive", archive, "--topic", self._topic]
        run = measured([*command, "--from-file", self._addresses], self._work, {"SEOGO_NAVER": self._site})
        receipt = run.receipt
        self._check("seogo", receipt["outcomes"]["new"])
        return Measured(self._articles, run, _duration(receipt), receipt["seconds"])

    def scrapy(self, keep: str) -> Measured:
        """Scrapy into a new folder; it stores `rows`, also `files`, or also `captures`."""
        folder = self._fresh("scrapy")
        folder.mkdir()
        command: list[str | Path] = [self._python, "-m", "benchmarks.scrapy_peer", self._addresses, self._site, folder]
        run = measured([*command, str(CONCURRENCY), keep], self._work)
        printed = json.loads(run.output)
        self._check("Scrapy", printed["rows"])
        return Measured(self._articles, run, printed["seconds"], {})

    def _fresh(self, name: str) -> Path:
        shutil.rmtree(self._work / name, ignore_errors=True)
        return self._work / name

    def _check(self, who: str, stored: int) -> None:
        if stored != self._articles:
            raise SystemExit(f"{who} stored {stored} of {self._articles} articles: the figures would be meaningless.")


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers-python", type=Path, metavar="PYTHON", help="a Python with Scrapy")
    given = parser.parse_args()
    articles, runs = (200, 1) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    python = peers_python(work, given.peers_python)
    pages, addresses = make_pages(work, articles, PADDING)
    introduce(f"crawling: {articles:,} generated pages of about 200 KB from nginx, {CONCURRENCY} requests at a time")
    with nginx(pages / "site") as site:
        comparison = Comparison(work, python, addresses, site)
        ways: dict[str, Callable[[], Measured]] = {
            "seogo": comparison.seogo,
            "Scrapy, rows": partial(comparison.scrapy, "rows"),
            "Scrapy, rows and files": partial(comparison.scrapy, "files"),
            "Scrapy, rows, files, WARC": partial(comparison.scrapy, "captures"),
        }
        for way in ways.values():
            way()  # warm-up: modules are compiled, files are in the page cache
        found: dict[str, list[Measured]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, way in ways.items():
                found[name].append(way())
    report(found)


def report(found: dict[str, list[Measured]]) -> None:
    """Print the table, the ratios, and seogo's time by stage."""
    print(f"  {'articles per second':30}{'whole command':>24}{'crawl itself':>24}{'CPU, ms each':>30}")
    for name, runs in found.items():
        whole, alone = spread([m.whole for m in runs]), spread([m.alone for m in runs])
        cost = spread([m.run.processor / m.articles * 1000 for m in runs], ".2f")
        print(f"  {name:30}{whole:>24}{alone:>24}{cost:>30}")
    ours, *peers = found
    print()
    for peer in peers:
        command, crawl = _ratio(found, ours, peer, "whole"), _ratio(found, ours, peer, "alone")
        print(f"  seogo to {peer}: {command:.2f} (whole command), {crawl:.2f} (crawl itself); target: {WANTED:g}")
    _report_stages(found[ours])
    _report_parts(found[ours])


def _ratio(found: dict[str, list[Measured]], ours: str, peer: str, figure: str) -> float:
    mine, theirs = (statistics.median(getattr(m, figure) for m in found[name]) for name in (ours, peer))
    return float(mine / theirs)


def _report_stages(runs: list[Measured]) -> None:
    """Print the share of each stage in the crawl's wall-clock time.

    The receipt's `fetch` counts the waiting time of each find, so sixteen concurrent ones count sixteen times. The cost
    of fetching is therefore what remains of the event loop's time after capture and parse.
    """
    share = {
        stage: statistics.median(m.stages.get(stage, 0.0) / m.crawl_seconds for m in runs)
        for stage in (*LOOP_STAGES, *THREAD_STAGES)
    }
    share["fetch"] = 1.0 - sum(share[stage] for stage in LOOP_STAGES)
    print("\n  share of the crawl's time, in the event loop: ", end="")
    print(", ".join(f"{stage} {share[stage]:.0%}" for stage in ("fetch", *LOOP_STAGES)))
    print("  in the storing thread:                        ", end="")
    print(", ".join(f"{stage} {share[stage]:.0%}" for stage in THREAD_STAGES), "(the rest: judging and waiting)")
    busy = statistics.median(m.run.processor / m.run.seconds for m in runs)
    print(f"  busy cores: {busy:.2f}. Next bottleneck: {_bottleneck(share, busy)}")


def _report_parts(runs: list[Measured]) -> None:
    """Print the wall-clock seconds of the parts of the whole command."""
    parts = {"the crawl": statistics.median(m.crawl_seconds for m in runs)}
    parts |= {stage: statistics.median(m.stages.get(stage, 0.0) for m in runs) for stage in AFTERWARDS}
    parts["start and end"] = statistics.median(m.run.seconds for m in runs) - sum(parts.values())
    print("  seconds: " + ", ".join(f"{part} {seconds:.2f}" for part, seconds in parts.items()))


def _bottleneck(share: dict[str, float], busy: float) -> str:
    storing = sum(share[stage] for stage in THREAD_STAGES)
    if storing > 0.9:
        return f"the storing thread ({storing:.0%} of the time)"
    largest = max(("fetch", *LOOP_STAGES), key=lambda stage: share[stage])
    kind = "the GIL, held mostly for" if busy > 0.9 else "waiting, mostly for"
    return f"{kind} {largest} ({share[largest]:.0%})"


def _duration(receipt: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(receipt[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


if __name__ == "__main__":
    main()
