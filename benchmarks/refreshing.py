"""The cost of refreshing articles that have not changed, with and without 304 responses.

    python -m benchmarks.refreshing [--articles N] [--runs N] [--padding BYTES] [--work DIR] [--quick]

The replica of Naver runs in its own process. Articles are fetched once; when they are due, they are refreshed: from a
server that supports ETag and Last-Modified, and from one that does not and whose pages differ in their bytes at every
request, as Naver's do. Each run is the function behind the command, in its own process. Nothing is edited in the
meantime, because the replica's clock is stopped.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.documents import in_subprocess
from benchmarks.support import introduce, options, spread, topic_file, work_folder
from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.corpus.plan import Shares
from flows.replica.faults import Behaviour
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.refresh import RefreshOrder, refresh
from schemas.article import Outcome
from schemas.receipt import Receipt
from schemas.topic import load_topic

FIRST, WITH, WITHOUT = "first fetch", "refresh, 304", "refresh, no validators"
DAYS = 5
QUIET = Shares(edited=0.0, gone=0.0, copy=0.0, elsewhere=0.0, late=0.0)
DUE = timedelta(days=8)
"""By then everything is due: the last refresh is a week after publication."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a run: bytes received, seconds, CPU seconds, growth of the captures in bytes."""

    articles: int
    received: int
    seconds: float
    processor: float
    captured: int


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--padding", type=int, default=180_000, help="bytes of a page besides its article")
    given = parser.parse_args()
    articles, runs = (60, 2) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    introduce(f"{articles:,} articles that do not change, pages of about {given.padding // 1000} KB")
    last = datetime.now(UTC)
    found: dict[str, list[Cost]] = {FIRST: [], WITH: [], WITHOUT: []}
    for _ in range(runs):
        for name, validators in ((WITH, True), (WITHOUT, False)):
            archive = work / "refreshed"
            shutil.rmtree(archive, ignore_errors=True)
            behaviour = Behaviour(validators=validators, restless=True, padding=given.padding)
            with replica(articles, last, behaviour) as site:
                found[FIRST].append(in_subprocess(fetched, site, archive, work, articles, last))
                found[name].append(in_subprocess(refreshed, site, archive, work, last))
    report(found)


def report(found: dict[str, list[Cost]]) -> None:
    """Print the figures per article, and the ratios to a first fetch."""
    print(f"  {'per article':<26}{'KB received':>14}{'ms':>28}{'CPU, ms':>28}{'captures, KB':>14}")
    for name, costs in found.items():
        received, captured = (
            statistics.median(getattr(cost, field) / cost.articles / 1000 for cost in costs)
            for field in ("received", "captured")
        )
        seconds, processor = (
            spread([getattr(cost, field) / cost.articles * 1000 for cost in costs], ".2f")
            for field in ("seconds", "processor")
        )
        print(f"  {name:<26}{received:>14.2f}{seconds:>28}{processor:>28}{captured:>14.2f}")
    for name in (WITH, WITHOUT):
        bytes_, seconds = (
            statistics.median(getattr(cost, field) for cost in found[name])
            / statistics.median(getattr(cost, field) for cost in found[FIRST])
            for field in ("received", "seconds")
        )
        print(f"\n  {name}: {bytes_:.1%} of the bytes and {seconds:.0%} of the time of a first fetch", end="")
    print()


# -- the runs, each in its own process


def fetched(site: str, archive: Path, work: Path, articles: int, last: datetime) -> Cost:
    """The first crawl, of all URLs in the corpus."""
    addresses = tuple(one.key.url for one in made(articles, last).articles if one.key and not one.subject.arena)
    order = CrawlOrder(load_topic(topic_file(work)), archive, addresses=addresses, naver=site)
    cost, receipt = measured(archive, lambda: asyncio.run(crawl(order, now=lambda: last)))
    if receipt.outcomes[Outcome.NEW] != len(addresses):
        raise SystemExit(f"{receipt.outcomes[Outcome.NEW]} of {len(addresses)} articles are new: {receipt.explanation}")
    return cost


def refreshed(site: str, archive: Path, work: Path, last: datetime) -> Cost:
    """A refresh of all articles."""
    order = RefreshOrder(load_topic(topic_file(work)), archive, naver=site)
    cost, receipt = measured(archive, lambda: asyncio.run(refresh(order, now=lambda: last + DUE)))
    if not receipt.finds or receipt.outcomes[Outcome.UNCHANGED] != receipt.finds:
        raise SystemExit(f"not all of {receipt.finds} articles are unchanged: {receipt.explanation}")
    return cost


def measured(archive: Path, run: Callable[[], Receipt]) -> tuple[Cost, Receipt]:
    """The cost of a run, and its receipt."""
    before, began, busy = captures_of(archive), time.monotonic(), time.process_time()
    receipt = run()
    seconds, processor = time.monotonic() - began, time.process_time() - busy
    return Cost(receipt.finds, receipt.bytes, seconds, processor, captures_of(archive) - before), receipt


def captures_of(archive: Path) -> int:
    """The size of all captures in bytes, journals included."""
    return sum(path.stat().st_size for path in (archive / "captures").rglob("*.warc.gz"))


# -- the replica


def made(articles: int, last: datetime) -> Corpus:
    """The same corpus in every process."""
    return make_corpus(1, articles=articles, days=DAYS, last=last, shares=QUIET)


@contextmanager
def replica(articles: int, last: datetime, behaviour: Behaviour) -> Iterator[str]:
    """The replica in its own process. Yields its URL."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, articles, last, behaviour))
    process.start()
    try:
        yield str(here.recv())
    finally:
        here.send("end")
        process.join(10)
        process.kill()


def serve(pipe: Connection, articles: int, last: datetime, behaviour: Behaviour) -> None:
    """Serve until a message arrives."""
    with Replica(made(articles, last), now=last, behaviour=behaviour) as site:
        pipe.send(site.url)
        pipe.recv()


if __name__ == "__main__":
    main()
