"""Kills of a real crawl at steps of every kind (`make torture` does three hundred)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import killing, object_store, torture
from tests.programs.torture import Scene
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with torture.scene(tmp_path_factory.mktemp("torture")) as made:
        yield made


def test_the_steps_that_can_be_killed_are_those_that_leave_something_behind(made: Scene) -> None:
    assert set(made.steps) >= {
        *("append", "sync", "stage", "replace", "unlink", "snapshot", "checkpoint"),
        *("statement", "insert", "upsert", "commit"),
    }
    assert len(made.expected["articles"]) > 15
    assert made.expected["duplicates"]


@pytest.mark.slow
@pytest.mark.parametrize("kills", [12, pytest.param(40, marks=pytest.mark.long)])
def test_a_crawl_that_is_killed_anywhere_ends_as_if_it_had_not_been(made: Scene, kills: int) -> None:
    """Every third kill is followed by a second one, in the recovery."""
    died = Counter[str]()
    for number, plan in enumerate(torture.plans(made, kills, seed=20260102)):
        died[plan[0].kind] += torture.survive(made, f"killed-{kills}-{number}", *plan)
    assert sum(died.values()) >= kills
    assert len(died) == len(made.steps)


@pytest.mark.slow
@pytest.mark.parametrize("journeys", [1, pytest.param(12, marks=pytest.mark.long)])
def test_captures_in_an_object_store_survive_kills_on_every_leg(made: Scene, journeys: int, tmp_path: Path) -> None:
    """Moved there, crawled and moved back: killed on each leg, and every third time in the recovery, too."""
    store = f"file://{tmp_path}/store"
    steps = object_store.steps_of_legs(made, f"{store}/counted")
    assert all({"put", "download", "delete"} & steps[leg].keys() for leg in steps)
    assert steps[object_store.CRAWL]["put"] > 3  # files that were uploaded during the crawl
    died = Counter[str]()
    for number, plan in enumerate(object_store.plans(steps, journeys, seed=20260102)):
        name = f"journey-{journeys}-{number}"
        died += object_store.survive(made, name, f"{store}/{name}", plan)
    assert died.total() >= 2 * journeys


def test_the_harness_notices_what_is_lost(made: Scene) -> None:
    """An archive that lacks an article, or has one twice, must not pass."""
    lost = {**made.expected, "articles": made.expected["articles"][1:]}
    for wrong in (lost, {**made.expected, "files": {}}):
        other = torture.Scene(made.naver, made.work / "wrong", made.before, wrong, made.steps)
        other.work.mkdir(exist_ok=True)
        with pytest.raises(AssertionError, match="differ after"):
            torture.survive(other, f"{len(wrong['articles'])}-{len(wrong['files'])}", killing.Kill("append", 2, "half"))


def test_the_harness_notices_records_that_are_lost_or_there_twice(made: Scene) -> None:
    found = object_store.records(made.before)
    assert len(found) > 30
    some = next(iter(found))
    object_store.check_records(found, found, "")
    with pytest.raises(AssertionError, match="1 records are lost"):
        object_store.check_records(found, found - Counter([some]), "")
    with pytest.raises(AssertionError, match="1 records are there twice"):
        object_store.check_records(found, found + Counter([some]), "")


@pytest.mark.slow
def test_two_that_start_together_are_never_two_writers(tmp_path: Path) -> None:
    """Two hundred times: both may have had the archive, one after the other, but never at once."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.programs.two_writers", tmp_path / "archive", "200"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("200 rounds")
