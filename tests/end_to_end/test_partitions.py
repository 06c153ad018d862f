"""A network that is cut in the middle of a transfer: to the site, the store, and the database of pace and lease.

The fetcher or the writer runs on a machine of its own, a network namespace, whose cables are cut after so many bytes.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from flows.cli.exit_codes import Exit
from flows.replica.server import Replica
from tests.programs import fetchers
from tests.support.command import Ran, environment, hasty_topic
from tests.support.servers.machines import Cable, Machine, machine, shared_database
from tests.support.servers.s3 import BUCKET, s3_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,  # without a cut network, test_fetchers.py and tests/storage/state/test_fence.py do the same
]

IMPATIENT = """
from functools import partial
from flows.cli.app import main
from flows.fetching import turns
from flows.runs import polite_client
from storage.inbox.spool import Spool
from storage.objects import store
from storage.state import fence
store.Patience = partial(store.Patience, upload=3, reading=3, all_tries=3)
fence.LEASE_SECONDS = turns._WITHIN = fence._WITHIN = 3
polite_client.NETWORK_WITHIN = 2
Spool.most_visited = 6
main()
"""
"""The command `seogo` with seconds instead of minutes, and with several segments for few addresses."""

NAME = "seoul-1"
SECONDS = {"connect_timeout_seconds": 1, "read_timeout_seconds": 1, "total_timeout_seconds": 5}


@dataclass(frozen=True)
class Scene:
    """A fetcher's machine with a cable to the site and one to the store. `here`, `there`: the environment on each."""

    machine: Machine
    site: Cable
    store: Cable
    where: fetchers.Place
    naver: Replica
    here: Mapping[str, str]
    there: Mapping[str, str]

    def fetch(self, **env: str) -> Ran:
        """Run the fetcher on its machine."""
        words = ("fetch", self.where.work / "addresses.txt", "--fetcher", NAME, "--state", self.where.work / NAME)
        return seogo(self.machine.enter, *words, env={**self.there, **env})

    def take_in(self, *, there: bool = False, **env: str) -> Ran:
        """Run the writer."""
        words = ("take-in", "--archive", self.where.archive, "--wait", "60")
        if there:
            return seogo(self.machine.enter, *words, env={**self.there, **env})
        return seogo((), *words, env={**self.here, **env})

    def check(self, died: int) -> None:
        """The archive is that of one crawl, and what was spooled was requested once."""
        fetchers.check(self.where, self.naver, Counter({NAME: died}))


def seogo(enter: Sequence[str], *words: str | Path, env: Mapping[str, str]) -> Ran:
    command = [*enter, sys.executable, "-c", IMPATIENT, *map(str, words)]
    done = subprocess.run(command, env=environment(**env), check=False, capture_output=True, text=True, timeout=120)
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    given: dict[str, Any] = {"names": [NAME], "store": f"s3://{BUCKET}/fetched", "padding": 60_000}
    with (
        machine() as it,
        s3_server() as s3,
        fetchers.place(tmp_path, 18, **given) as (where, naver),
        it.cable(urlsplit(naver.url).port or 0) as site,
        it.cable(s3.port) as store,
    ):
        (tmp_path / "addresses.txt").write_text("\n".join(where.addresses[NAME]), "utf-8")
        topic = hasty_topic(tmp_path, concurrency=fetchers.CONCURRENCY, requests_per_second=20, **SECONDS)
        here = {"SEOGO_NAVER": naver.url, "SEOGO_TOPIC": str(topic), "SEOGO_STORE": where.store, **s3.environment}
        there = {"SEOGO_NAVER": f"http://{site.address}", "AWS_ENDPOINT_URL": f"http://{store.address}"}
        yield Scene(it, site, store, where, naver, here, {**here, **there})


def test_the_site_is_cut_off_in_the_middle_of_a_page(scene: Scene) -> None:
    scene.site.cut_after(80_000)
    cut = scene.fetch()
    assert (cut.code, scene.site.is_cut) == (Exit.OFFLINE, True), cut
    assert "addresses left for the next start: " in cut.out
    scene.site.mend()
    back = scene.fetch()
    assert back.code == Exit.DONE, back
    assert scene.take_in().code == Exit.DONE
    scene.check(died=1)


def test_the_store_is_cut_off_in_the_middle_of_an_upload(scene: Scene) -> None:
    scene.store.cut_after(40_000)
    cut = scene.fetch()
    assert (cut.code, scene.store.is_cut) == (Exit.PARTLY_FAILED, True), cut
    assert "segments that wait on the disk: " in cut.out
    scene.store.mend()
    back = scene.fetch()
    assert back.code == Exit.DONE, back
    assert scene.take_in().code == Exit.DONE
    scene.check(died=0)


def test_the_database_of_the_pace_is_cut_off(scene: Scene) -> None:
    with shared_database() as database, scene.machine.cable(urlsplit(database).port or 0) as cable:
        pace = _through(cable, database)
        cable.cut_after(3_000)
        cut = scene.fetch(SEOGO_PACE=pace)
        assert (cut.code, cable.is_cut) == (Exit.STORAGE_FAULT, True), cut
        assert "Nothing is requested without it" in cut.complaint
        cable.mend()
        back = scene.fetch(SEOGO_PACE=pace)
        assert back.code == Exit.DONE, back
    assert scene.take_in().code == Exit.DONE
    scene.check(died=1)


def test_the_database_of_the_lease_is_cut_off_from_the_writer_and_another_one_takes_over(scene: Scene) -> None:
    assert scene.fetch().code == Exit.DONE
    with shared_database() as database, scene.machine.cable(urlsplit(database).port or 0) as cable:
        cable.cut_after(4_000)
        cut = scene.take_in(there=True, SEOGO_LEASE=_through(cable, database))
        assert (cut.code, cable.is_cut) == (Exit.ARCHIVE_BUSY, True), cut
        assert "the session with the lease has ended" in cut.complaint
        back = scene.take_in(SEOGO_LEASE=database)
        assert back.code == Exit.DONE, back
    scene.check(died=0)


def _through(cable: Cable, database: str) -> str:
    """The address of a database of this machine, as a machine with this cable sees it."""
    parts = urlsplit(database)
    return parts._replace(netloc=f"{parts.username}@{cable.address}").geturl()
