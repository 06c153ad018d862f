"""Kills crawls and moves of an archive with an object store with SIGKILL at any step, and checks what is left.

    python -m tests.programs.object_store [--kills 300] [--seed 1] [--swift]         (make torture)

The archive of an earlier crawl is moved to a store, the next crawl uploads its captures there while it lasts, and the
archive is moved back. Each of these legs is killed at a random step with a lasting effect (those of `torture`, and the
requests to the store), and run again until it ends. After every kill and every leg, each record of a capture that was
complete must be there once. After the crawl and in the end, the archive must equal the one that was crawled without
kills and without a store, `verify` must find nothing, and each file must be in its home, and only there.

The store is a directory (`file://`), or OpenStack Swift on loopback (`--swift`, installed by `make object-store`).
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import shutil
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from fastwarc.warc import ArchiveIterator

from flows.replica.server import Replica
from flows.runs.move_captures import DIRECTORY, move_captures
from storage.captures.homes.bucket import BucketStore
from storage.captures.homes.store import capture_store
from storage.captures.reader import capture_names
from storage.objects.store import ObjectStore, open_store
from tests.programs import torture
from tests.programs.killing import Kill, Steps, drawn, instrument
from tests.programs.torture import Scene
from tests.support.archives import spooled
from tests.support.servers.swift import BUCKET, client_environment, swift_server

ROLL_AT = 20_000
"""The size of a full file in bytes: little, so that a crawl uploads several."""

THERE, CRAWL, BACK = "move there", "crawl", "move back"
Plan = Mapping[str, tuple[Kill, ...]]
"""The kills of each leg, one after another."""


# -- in the process that is killed


def travel(leg: str, address: str, root: Path, site: str, now: datetime, kill: Kill | None, counts: Any) -> None:
    """One leg, which may be killed. `counts` receives the number of steps of each kind."""
    steps = Steps(kill)
    instrument(steps)
    ObjectStore.create = steps.around("put", ObjectStore.create, _half_put)  # type: ignore[method-assign]
    ObjectStore.download = steps.around("download", ObjectStore.download)  # type: ignore[method-assign]
    ObjectStore.delete = steps.around("delete", ObjectStore.delete)  # type: ignore[method-assign]
    BucketStore.roll_at = ROLL_AT
    if leg == CRAWL:
        torture.crawl_now(root, site, now)
    else:
        move_captures(root, address if leg == THERE else DIRECTORY, environment={})
    counts.put(dict(steps.counted))


def _half_put(store: ObjectStore, name: str, data: Any) -> None:
    """A store that keeps half of an upload."""
    if isinstance(data, Path):
        store.replace(name, data.read_bytes()[: data.stat().st_size // 2])


# -- in the observing process


def survive(made: Scene, name: str, address: str, plan: Plan) -> Counter[str]:
    """Go there, crawl, and come back, with kills on the way. Returns how many died on each leg."""
    root, died = torture.copy_of(made, name), Counter[str]()
    store = open_store(address)

    def run(leg: str, kill: Kill | None) -> Counter[str]:
        before = records(root)
        steps = torture.steps_of(travel, leg, address, root, made.naver.url, made.naver.clock.now, kill)
        check_records(before, records(root), f"after {leg} ({kill})")
        return steps

    def crawl(_: Path, __: Replica, kill: Kill | None) -> Counter[str]:
        return run(CRAWL, kill)

    died[THERE] = sum(not run(THERE, kill) for kill in (*plan[THERE], None))
    assert spooled(root) == []
    died[CRAWL] = torture.crawl_until_done(made, root, plan[CRAWL], crawl)
    assert spooled(root) == []
    torture.check(made, root, [plan])
    died[BACK] = sum(not run(BACK, kill) for kill in (*plan[BACK], None))
    assert list(store.list()) == []
    torture.check(made, root, [plan])
    shutil.rmtree(root)
    return died


def check_records(before: Counter[str], after: Counter[str], when: str) -> None:
    """Nothing that was complete before may be missing, and nothing may be there twice."""
    lost, twice = before - after, [id_ for id_, times in after.items() if times > 1]
    assert not lost, f"{len(lost)} records are lost {when}"
    assert not twice, f"{len(twice)} records are there twice {when}"


def records(root: Path) -> Counter[str]:
    """The ids of the complete records in all captures, wherever they are."""
    found = Counter[str]()
    home = capture_store(root)
    for name in capture_names(root):
        with home.whole(name) as path, path.open("rb") as file, suppress(OSError, ValueError, zlib.error, EOFError):
            found.update(str(one.record_id) for one in ArchiveIterator(file, parse_http=False) if is_whole(one))
    return found


def is_whole(record: Any) -> bool:
    return bool(record.verify_block_digest())


def steps_of_legs(made: Scene, address: str) -> dict[str, Counter[str]]:
    """How many steps of each kind the legs have when nothing is killed."""
    root = torture.copy_of(made, "counted")
    site, now = made.naver.url, made.naver.clock.now
    found = {leg: torture.steps_of(travel, leg, address, root, site, now, None) for leg in (THERE, CRAWL, BACK)}
    shutil.rmtree(root)
    return found


def plans(steps: Mapping[str, Counter[str]], number: int, seed: int) -> Iterator[Plan]:
    """Plans with a kill on each leg; every third one also kills the recovery."""
    rng = random.Random(seed)
    early = {leg: Counter({kind: max(1, n // 8) for kind, n in of.items()}) for leg, of in steps.items()}
    first = {leg: drawn(of, number, rng) for leg, of in steps.items()}
    second = {leg: drawn(of, number, rng) for leg, of in early.items()}
    for index in range(number):
        last = index + 1 if index % 3 == 2 else index
        yield {leg: (first[leg][index], *second[leg][index:last]) for leg in steps}


@contextmanager
def store_address(work: Path, *, swift: bool) -> Iterator[str]:
    """The address of an empty store."""
    if not swift:
        yield f"file://{work}/store"
        return
    with swift_server(work / "swift") as port:
        os.environ.update(client_environment(port))
        yield f"s3://{BUCKET}"


def torture_store(kills: int, seed: int, *, swift: bool) -> Counter[str]:
    """Perform random kills. Returns their number by leg; raises AssertionError at the first difference."""
    died, began = Counter[str](), time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="seogo-store-") as work,
        store_address(Path(work), swift=swift) as address,
        torture.scene(Path(work)) as made,
    ):
        steps = steps_of_legs(made, f"{address}/counted")
        for number, plan in enumerate(plans(steps, kills, seed)):
            died += survive(made, f"killed-{number}", f"{address}/killed-{number}", plan)
            if number % 5 == 4:
                print(f"seed {seed}: {died.total()} kills, {time.monotonic() - began:.0f} s", flush=True)
            if died.total() >= kills:
                break
    return died


def main() -> None:
    """Perform the kills, and print a summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--swift", action="store_true", help="OpenStack Swift instead of a directory")
    given = parser.parse_args()
    died = torture_store(given.kills, given.seed, swift=given.swift)
    print(f"{died.total()} kills survived: nothing lost, nothing twice. Killed: {dict(died)}")


if __name__ == "__main__":
    # Under its real name, because the processes that it starts import it.
    importlib.import_module("tests.programs.object_store").main()
