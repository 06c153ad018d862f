"""A whole crawl with the pace switched off, from address to row and file, beside Scrapy.

    python -m benchmarks.crawling [--articles N] [--runs N] [--peers-python PYTHON] [--work DIR] [--quick]

nginx serves generated article pages of about 200 KB (packed once, in advance) on this machine. seogo is the real
command, `seogo crawl --from-file`, in a process of its own; Scrapy is `benchmarks.scrapy_peer`, which says what it
does and what it is spared. Both ask 16 at once, obey robots.txt and take turns, so that a slow moment of the machine
hits both.
"""

from __future__ import annotations

import json
import shutil
import statistics
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


@dataclass(frozen=True, slots=True)
class Measured:
    """One crawl of `articles`: the whole command, and the crawl in it without start and end."""

    articles: int
    run: Run
    crawl_seconds: float
    stages: dict[str, float]

    @property
    def whole(self) -> float:
        """Articles a second of the whole command."""
        return self.articles / self.run.seconds

    @property
    def alone(self) -> float:
        """Articles a second of the crawl in it."""
        return self.articles / self.crawl_seconds


class Field:
    """The pages, nginx's address, and both crawlers on them."""

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
        return Measured(self._articles, run, _lasted(receipt), receipt["seconds"])

    def scrapy(self, keep: str) -> Measured:
        """Scrapy into a new folder; it keeps `rows`, also `files`, or also `captures`."""
        folder = self._fresh("scrapy")
        folder.mkdir()
        command = [self._python, "-m", "benchmarks.scrapy_peer", self._addresses, self._site, folder]
        run = measured([*command, str(CONCURRENCY), keep], self._work)
        said = json.loads(run.output)
        self._check("Scrapy", said["rows"])
        return Measured(self._articles, run, said["seconds"], {})

    def _fresh(self, name: str) -> Path:
        shutil.rmtree(self._work / name, ignore_errors=True)
        return self._work / name

    def _check(self, who: str, stored: int) -> None:
        if stored != self._articles:
            raise SystemExit(f"{who} stored {stored} of {self._articles} articles: the figures would mean nothing.")


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers-python", type=Path, metavar="PYTHON", help="a Python that has Scrapy")
    given = parser.parse_args()
    articles, runs = (200, 1) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    python = peers_python(work, given.peers_python)
    pages = work / f"pages-{articles}-{PADDING}"
    addresses = make_pages(pages, articles, PADDING)
    introduce(f"crawling: {articles:,} generated pages of about 200 KB from nginx, {CONCURRENCY} at once, no pace")
    with nginx(pages / "site") as site:
        field = Field(work, python, addresses, site)
        ways = {
            "seogo": field.seogo,
            "Scrapy, rows": partial(field.scrapy, "rows"),
            "Scrapy, rows and files": partial(field.scrapy, "files"),
            "Scrapy, rows, files, WARC": partial(field.scrapy, "captures"),
        }
        for way in ways.values():
            way()  # once for nothing: modules are compiled, files are in the system's memory
        found: dict[str, list[Measured]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, way in ways.items():
                found[name].append(way())
    report(found)


def report(found: dict[str, list[Measured]]) -> None:
    """The table, the ratio, and where seogo's time went."""
    print(f"  {'articles a second':30}{'whole command':>24}{'the crawl in it':>24}{'processor, ms each':>30}")
    for name, runs in found.items():
        whole, alone = spread([m.whole for m in runs]), spread([m.alone for m in runs])
        cost = spread([m.run.processor / m.articles * 1000 for m in runs], ".2f")
        print(f"  {name:30}{whole:>24}{alone:>24}{cost:>30}")
    ours, *peers = found
    print()
    for peer in peers:
        whole, alone = _ratio(found, ours, peer, "whole"), _ratio(found, ours, peer, "alone")
        print(f"  seogo to {peer}: {whole:.2f} (whole command), {alone:.2f} (the crawl in it); wanted: {WANTED:g}")
    _report_stages(found[ours])


def _ratio(found: dict[str, list[Measured]], ours: str, peer: str, figure: str) -> float:
    mine, theirs = (statistics.median(getattr(m, figure) for m in found[name]) for name in (ours, peer))
    return float(mine / theirs)


def _report_stages(runs: list[Measured]) -> None:
    """Shares of the crawl's wall-clock time, by who spends it.

    The receipt's own `fetch` counts each find from its turn in the batch on, so sixteen at once count sixteenfold. What
    fetching costs is what the event loop did beside capture and parse.
    """
    share = {
        stage: statistics.median(m.stages.get(stage, 0.0) / m.crawl_seconds for m in runs)
        for stage in (*LOOP_STAGES, *THREAD_STAGES)
    }
    share["fetch"] = 1.0 - sum(share[stage] for stage in LOOP_STAGES)
    print("\n  of the crawl's time, in the event loop: ", end="")
    print(", ".join(f"{stage} {share[stage]:.0%}" for stage in ("fetch", *LOOP_STAGES)))
    print("  beside it, in the storing thread:       ", end="")
    print(", ".join(f"{stage} {share[stage]:.0%}" for stage in THREAD_STAGES), "(the rest: judging, and waiting)")
    busy = statistics.median(m.run.processor / m.run.seconds for m in runs)
    print(f"  cores busy: {busy:.2f}. Next bottleneck: {_bottleneck(share, busy)}")


def _bottleneck(share: dict[str, float], busy: float) -> str:
    storing = sum(share[stage] for stage in THREAD_STAGES)
    if storing > 0.9:
        return f"the storing thread ({storing:.0%} of the time)"
    largest = max(("fetch", *LOOP_STAGES), key=lambda stage: share[stage])
    kind = "Python's one lock, most of it held for" if busy > 0.9 else "waiting, most of it for"
    return f"{kind} {largest} ({share[largest]:.0%})"


def _lasted(receipt: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(receipt[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


if __name__ == "__main__":
    main()
