"""How many articles a second one writer takes in: parsed, judged, stored and captured.

    python -m benchmarks.taking_in [--articles 2000]

Fetches a replica's pages into segments once, and measures the processor time of taking them in.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from flows.replica.corpus.articles import make_corpus
from flows.replica.server import Replica
from flows.runs.crawl import refs_of_addresses
from flows.runs.fetch import FetchOrder, fetch
from flows.runs.take_in import TakeInOrder, take_in
from schemas.topic import Topic, default_topic_path, load_topic
from storage.inbox.inbox import Inbox
from storage.objects.store import open_store


def spent() -> float:
    """The processor time of this process, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def topic() -> Topic:
    """The demo's topic without a pace: the replica is on this machine."""
    values = load_topic(default_topic_path().with_name("demo.yaml")).model_dump(mode="json")
    return Topic.model_validate({**values, "limits": {**values["limits"], "requests_per_second": 0, "hosts": {}}})


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--articles", type=int, default=2000)
    given = parser.parse_args()
    corpus = make_corpus(5, articles=given.articles, presses=20, days=10, last=datetime.now(UTC))
    urls = [article.key.url for article in corpus.articles if article.key is not None]
    with tempfile.TemporaryDirectory(prefix="seogo-taking-in-") as work, Replica(corpus) as naver:
        inbox, folder = Inbox(open_store(f"file://{work}/store")), Path(work)
        refs = refs_of_addresses(urls, datetime.now(UTC))
        began = spent()
        asyncio.run(fetch(FetchOrder(topic(), inbox, "one", folder / "one", refs, naver.url)))
        fetched, began = spent() - began, spent()
        receipt = asyncio.run(take_in(TakeInOrder(topic(), folder / "archive", inbox=inbox)))
        taken = spent() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{receipt.finds:,} articles, processor time: taken in {receipt.finds / taken:.0f} a second ({taken:.1f} s);")
    print(f"fetched, with the replica in the same process, {receipt.finds / fetched:.0f} a second; {memory:.0f} MB")


if __name__ == "__main__":
    main()
