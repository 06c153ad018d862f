"""Marks of tests (explained in pyproject.toml), and fixtures for all tests."""

from __future__ import annotations

import gc
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import hypothesis
import pytest

from storage.database.writer import Database
from tests.support.new_databases import NewDatabases
from tests.support.servers.tls import make_certificate

if TYPE_CHECKING:  # most tests need no replica
    from flows.replica.corpus.articles import Corpus
    from flows.replica.server import Replica
    from tests.support.servers.browser import Tab

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("short", deadline=None, max_examples=40)
hypothesis.settings.register_profile("long", deadline=None, max_examples=400)
hypothesis.settings.load_profile("short")


LONGEST = (
    "flows/deployed/test_health.py",
    "flows/deployed/test_real_server.py",
    "storage/integrity/test_repair.py",
    "end_to_end/test_crawl.py",
    "end_to_end/test_kills.py",
    "end_to_end/test_coverage.py",
    "flows/runs/test_refresh.py",
    "end_to_end/test_politeness.py",
    "flows/cli/commands/test_fetch.py",
    "flows/drift/test_hits.py",
    "storage/stories/test_follower.py",
)
"""The files of 40 seconds and more. They are begun first: one of them at the end would leave the other cores idle."""


ONE_SERVER = dict.fromkeys(
    ("tests/flows/deployed/test_health.py", "tests/flows/deployed/test_real_server.py"), "tests/flows/deployed"
)
"""Files that run in one process, because they share a Prefect server, which is expensive to start."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """With `--dist loadfile`, a process gets files, and those that share a server together."""
    from xdist.scheduler import LoadFileScheduling

    if config.getoption("dist") != "loadfile":
        return None
    scheduling = LoadFileScheduling(config, log)
    scheduling._split_scope = lambda nodeid: ONE_SERVER.get(file := nodeid.partition("::")[0], file)
    return scheduling


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect the tests without garbage collection; what they have imported stays, and is never visited again."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Extension modules complain at exit about objects that are never collected."""
    gc.unfreeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files. Mark all cases of a test with `every(n)` as long, except each n-th."""
    rank = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
    met: Counter[str] = Counter()
    for item in items:
        if (marker := item.get_closest_marker("every")) is not None:
            (step,) = marker.args
            test = item.nodeid.partition("[")[0]
            if met[test] % step:
                item.add_marker(pytest.mark.long)
            met[test] += 1


@pytest.fixture(scope="session", autouse=True)
def _new_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """New databases of this process are copies of one, which saves minutes over all tests."""
    databases = NewDatabases(tmp_path_factory.mktemp("new_databases"))
    with mock.patch.object(Database, "open", databases.open):
        yield


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A mount point for `mount`, unmounted at the end."""
    place = tmp_path / "disk"
    place.mkdir()
    yield place
    subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """A few days of articles up to now."""
    from tests.support.command import small_corpus

    return small_corpus()


@pytest.fixture(scope="module")
def server(corpus: Corpus) -> Iterator[Replica]:
    """A replica with the corpus, started once per module."""
    from flows.replica.server import Replica

    with Replica(corpus) as replica:
        yield replica


@pytest.fixture
def naver(server: Replica) -> Replica:
    """The running replica, reset to its initial state."""
    from flows.replica.faults import Behaviour

    server.behaviour = Behaviour()
    server.clock.set(server.corpus.last)
    server.log.clear()
    return server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """A tab of a headless browser, which all tests of a module share."""
    from tests.support.servers.browser import browsing

    with browsing(tmp_path_factory.mktemp("browser")) as tab:
        yield tab


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a self-signed certificate for 127.0.0.1, in one file."""
    return make_certificate(tmp_path_factory.mktemp("tls"))
