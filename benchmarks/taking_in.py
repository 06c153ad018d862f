"""How many articles a second one writer takes in: captured, parsed, judged, stored, with their near-duplicates.

    python -m benchmarks.taking_in [--articles 2000] [--padding 180000] [--runs 3]

Fetches a replica's pages into segments once, and measures the processor time of taking them in, each time into a new
archive and each time by a new process.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from benchmarks.pages import OwnWords
from flows.replica.corpus.articles import make_corpus
from flows.replica.faults import Behaviour
from flows.replica.server import Replica
from flows.runs.crawl import refs_of_addresses
from flows.runs.fetch import FetchOrder, fetch
from flows.runs.take_in import TakeInOrder, take_in
from schemas.topic import Topic, default_topic_path, load_topic
from storage.inbox.inbox import Inbox
from storage.objects.store import open_store


@dataclass(frozen=True)
class Taken:
    """A run: how many articles it took in, its processor time in seconds, and its peak memory in MB."""

    articles: int
    seconds: float
    memory: float


def spent() -> float:
    """The processor time of this process, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def topic() -> Topic:
    """The demo's topic without a pace: the replica is on this machine."""
    values = load_topic(default_topic_path().with_name("demo.yaml")).model_dump(mode="json")
    return Topic.model_validate({**values, "limits": {**values["limits"], "requests_per_second": 0, "hosts": {}}})


def fetch_all(store: Path, articles: int, padding: int) -> int:
    """Fetch the pages of a replica into segments in `store`. Returns the bytes of these."""
    corpus = OwnWords.of(make_corpus(5, articles=articles, presses=20, days=10, last=datetime.now(UTC)))
    urls = [article.key.url for article in corpus.articles if article.key is not None]
    refs = refs_of_addresses(urls, datetime.now(UTC))
    with Replica(corpus, behaviour=Behaviour(padding=padding)) as naver:
        inbox = Inbox(open_store(f"file://{store}"))
        asyncio.run(fetch(FetchOrder(topic(), inbox, "one", store.with_name("fetcher"), refs, naver.url)))
    return sum(path.stat().st_size for path in store.rglob("*.warc.gz"))


def taken_in(store: Path) -> Taken:
    """Take the segments in `store` in, into a new archive next to it."""
    began, inbox = spent(), Inbox(open_store(f"file://{store}"))
    receipt = asyncio.run(take_in(TakeInOrder(topic(), store.with_name(f"archive-of-{store.name}"), inbox=inbox)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Taken(receipt.finds, spent() - began, memory)


def in_process(store: Path) -> Taken:
    """The same in a new process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(taken_in, store).result()


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--padding", type=int, default=180_000, help="bytes of a page besides its article")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seogo-taking-in-") as folder:
        store = Path(folder, "store")
        size = fetch_all(store, given.articles, given.padding)
        runs = []
        for number in range(given.runs):
            copy = Path(shutil.copytree(store, store.with_name(f"store-{number}")))
            runs.append(in_process(copy))
    best = min(runs, key=lambda run: run.seconds)
    rates = ", ".join(f"{run.articles / run.seconds:.0f}" for run in runs)
    print(
        f"{best.articles:,} articles in {size / 1e6:.0f} MB of segments; a second of processor time takes in {rates};"
    )
    print(f"best: {best.seconds:.1f} s, {1000 * best.seconds / best.articles:.2f} ms an article; {best.memory:.0f} MB")


if __name__ == "__main__":
    main()
