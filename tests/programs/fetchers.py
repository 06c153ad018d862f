"""Kills fetchers and the archive that takes in from them with SIGKILL at any step, and compares with one crawl.

    python -m tests.programs.fetchers [--kills 300] [--seed 1] [--swift]        (make torture)

Three fetchers fetch a third of the addresses each, while the archive takes in what they have put into the store. Each
process is killed at a random step with a lasting effect, and started again. In the end the archive must equal that of
one sequential crawl of the same addresses, row for row, and nothing that was spooled may have been requested again.
Where PostgreSQL is installed, they share one pace, which the log of the server must show. With --swift, the store is
OpenStack Swift (`make object-store` installs it) instead of a directory.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from flows.replica.corpus.articles import make_corpus
from flows.replica.faults import Behaviour
from flows.replica.log import max_rate
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl, refs_of_addresses
from flows.runs.fetch import FetchOrder, fetch
from flows.runs.take_in import TakeInOrder, take_in
from schemas.receipt import ExitReason
from schemas.topic import Topic
from storage.inbox.inbox import Inbox
from storage.inbox.spool import Spool
from storage.integrity.repair import verify_archive
from storage.objects.store import ObjectStore, open_store
from tests.programs.killing import Kill, Steps, instrument, ways
from tests.programs.torture import LONGEST, NNEWS, forkserver, state_of
from tests.support.archives import rows
from tests.support.servers.postgresql import binaries, postgresql
from tests.support.servers.swift import BUCKET, client_environment, swift_server
from tests.support.topics import demo_topic

FETCHERS = ("seoul-1", "busan-1", "daegu-1")
TAKER = "archive"
IN_A_SEGMENT = 6
"""Addresses in a segment: few, so that each fetcher has several."""
CONCURRENCY = 2
RATE = 4.0
"""Requests per second of all together, if they are paced: so few that the clock of a busy machine does not matter."""
LONGEST_PACED = 5 * LONGEST
"""Seconds. A busy machine is often late for its turn, and then waits for another one."""

KINDS = {
    "fetcher": Counter({"append": 50, "sync": 40, "rename": 7, "replace": 12, "unlink": 6, "put": 6}),
    "archive": Counter({"append": 60, "sync": 30, "stage": 20, "replace": 8, "statement": 90, "commit": 12}),
}
"""The kinds of steps of a process, and about how many it has."""


@dataclass(frozen=True)
class Place:
    """Where everything is: `addresses` of each fetcher, by its name. `pace`: a database by which they share a pace."""

    work: Path
    naver: str
    addresses: dict[str, tuple[str, ...]]
    store: str
    pace: str = ""

    @property
    def archive(self) -> Path:
        return self.work / TAKER

    @property
    def inbox(self) -> Inbox:
        return Inbox(open_store(self.store))

    @property
    def topic(self) -> Topic:
        pace: dict[str, Any] = {"requests_per_second": RATE, "hosts": {}, "patience_seconds": 60} if self.pace else {}
        return demo_topic(concurrency=CONCURRENCY, **pace)


# -- in the processes that are killed


def run(place: Place, who: str, kill: Kill | None) -> None:
    """Fetch a fetcher's chunk, or take in once."""
    steps = Steps(kill)
    instrument(steps)
    ObjectStore.create = steps.around("put", ObjectStore.create)  # type: ignore[method-assign]
    Spool.most_visited = IN_A_SEGMENT
    os.environ["SEOGO_PACE"] = place.pace
    sys.exit(asyncio.run(_take_in(place) if who == TAKER else _fetch(place, who)))


async def _fetch(place: Place, who: str) -> int:
    refs = refs_of_addresses(place.addresses[who], datetime.now(UTC))
    order = FetchOrder(place.topic, place.inbox, who, place.work / who, refs, place.naver, chunk=f"of-{who}")
    report = await fetch(order)
    return int(report.exit_reason is not ExitReason.DONE)


async def _take_in(place: Place) -> int:
    receipt = await take_in(TakeInOrder(demo_topic(), place.archive, inbox=place.inbox))
    return int(receipt.exit_reason not in (ExitReason.DONE, ExitReason.NOTHING_NEW))


# -- in the observing process


@contextmanager
def place(
    work: Path,
    articles: int,
    *,
    names: Sequence[str] = FETCHERS,
    store: str = "",
    padding: int = 0,
    pace: str = "",
) -> Iterator[tuple[Place, Replica]]:
    """A replica, and an equal share of its articles for each fetcher. `store`: an address, by default a directory."""
    corpus = make_corpus(31, articles=articles, presses=6, days=4, last=datetime.now(UTC))
    urls = [one.key.url for one in corpus.articles if one.key is not None]
    shares = {name: tuple(urls[at :: len(names)]) for at, name in enumerate(names)}
    with Replica(corpus, behaviour=Behaviour(padding=padding)) as naver:
        yield Place(work, naver.url, shares, store or f"file://{work}/store", pace), naver


def survive(where: Place, naver: Replica, kills: int, rng: random.Random) -> Counter[str]:
    """Kill processes until `kills` have died or everything is done, and compare. Returns the deaths by process."""
    died, left = Counter[str](), {*FETCHERS}
    while left:
        running = {who: _start(where, who, _drawn(who, rng, died.total() < kills)) for who in (*sorted(left), TAKER)}
        for who, process in running.items():
            code = _end(where, process, who)
            died[who] += code == -signal.SIGKILL
            if code == 0 and who in left:
                left.remove(who)
    while died.total() < kills and died[TAKER] < kills:  # the rest, at the archive
        code = _end(where, _start(where, TAKER, _drawn(TAKER, rng, True)), TAKER)
        died[TAKER] += code == -signal.SIGKILL
        if code == 0:
            break
    assert _end(where, _start(where, TAKER, None), TAKER) == 0
    if where.pace:
        check_pace(naver)
    check(where, naver, died)
    return died


def _drawn(who: str, rng: random.Random, wanted: bool) -> Kill | None:
    if not wanted:
        return None
    kinds = KINDS["archive" if who == TAKER else "fetcher"]
    kind = rng.choice(sorted(kinds))
    return Kill(kind, rng.randint(1, kinds[kind]), rng.choice(ways(kind)), rng.randint(0, 4000))


def _start(where: Place, who: str, kill: Kill | None) -> BaseProcess:
    process = forkserver().Process(target=run, args=(where, who, kill))
    process.start()
    return process


def _end(where: Place, process: BaseProcess, who: str) -> int:
    process.join(LONGEST_PACED if where.pace else LONGEST)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"{who} hung")
    assert process.exitcode in (0, -signal.SIGKILL), f"{who} ended with {process.exitcode}"
    return process.exitcode


def check(where: Place, naver: Replica, died: Counter[str]) -> None:
    """The archive must be that of one crawl of the same addresses, in the order in which they were taken in."""
    targets = Counter(e.target for e in naver.log.entries if e.host == NNEWS and "/article/" in e.target)
    twice = sum(times - 1 for times in targets.values())
    in_flight = 2 * CONCURRENCY * sum(died[name] for name in FETCHERS)
    assert twice <= in_flight, f"{twice} pages were requested again, although at most {in_flight} were in flight"
    sql = "SELECT f.url FROM finds JOIN runs r USING (run_id) JOIN frontier f USING (id) ORDER BY r.number, finds.rowid"
    order = tuple(str(url) for (url,) in rows(where.archive, sql))
    assert sorted(order) == sorted(url for urls in where.addresses.values() for url in urls)
    asyncio.run(crawl(CrawlOrder(demo_topic(), where.work / "alone", naver=where.naver, addresses=order)))
    expected, found = state_of(where.work / "alone"), state_of(where.archive)
    for what, wanted in expected.items():
        assert found[what] == wanted, f"{what} differ after {died}"
    outcomes = "SELECT id, outcome FROM finds ORDER BY id"
    assert rows(where.archive, outcomes) == rows(where.work / "alone", outcomes)
    faults = verify_archive(where.archive).faults
    assert faults == [], f"after {died}: {faults}"


def check_pace(naver: Replica) -> None:
    """As the server saw it, all together sent no more than one machine alone may send.

    Over some seconds, because a busy machine delays single requests on their way. test_politeness looks at the spacing.
    """
    rate = max_rate(naver.log.entries, NNEWS, window=5)
    assert rate <= 1.2 * RATE, f"{rate} requests per second"


def torture(kills: int, seed: int, articles: int, *, bucket: str = "", pace: str = "") -> Counter[str]:
    """Perform kills in one place after another. Returns the deaths by process. `bucket`: the address of a store."""
    died, began, number = Counter[str](), time.monotonic(), 0
    while died.total() < kills:
        store = f"{bucket}/{seed}-{number}" if bucket else ""
        with (
            tempfile.TemporaryDirectory(prefix="seogo-fetchers-") as work,
            place(Path(work), articles, store=store, pace=pace) as (where, naver),
        ):
            died += survive(where, naver, min(20, kills - died.total()), random.Random(seed + number))
        number += 1
        print(f"seed {seed}: {died.total()} kills, {time.monotonic() - began:.0f} s", flush=True)
    return died


@contextmanager
def swift() -> Iterator[str]:
    """OpenStack Swift: the address of its bucket. The environment has the key."""
    with tempfile.TemporaryDirectory(prefix="seogo-swift-") as folder, swift_server(Path(folder)) as port:
        os.environ.update(client_environment(port))
        yield f"s3://{BUCKET}"


@contextmanager
def database() -> Iterator[str]:
    """The address of a new database; empty where PostgreSQL is not installed."""
    if (installed := binaries()) is None:
        yield ""
    else:
        with postgresql(installed) as address:
            yield address.replace("+asyncpg", "")


def main() -> None:
    """Perform the kills, and print a summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--swift", action="store_true", help="with OpenStack Swift as the store")
    given = parser.parse_args()
    with swift() if given.swift else nullcontext("") as bucket, database() as pace:
        died = torture(given.kills, given.seed, articles=60, bucket=bucket, pace=pace)
    print(f"{died.total()} kills survived: the archive is that of one crawl. Killed: {dict(died)}")
    print(f"all together sent {RATE:g} requests a second at most" if pace else "without a common pace: no PostgreSQL")


if __name__ == "__main__":
    importlib.import_module("tests.programs.fetchers").main()
