"""Several topics and archives from one prefect.yaml: names, queues, parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.deployed.template import Instance, deployments, instance_in, instance_of, of_machines
from schemas.errors import BadInput
from tests.support.paths import ROOT

FILE = ROOT / "prefect.yaml"
CHIPS = Instance("chips", "/etc/chips.yaml", "/srv/chips")


def test_an_instance_has_its_own_names_queue_and_archive() -> None:
    ours, theirs = deployments(FILE)["deployments"], deployments(FILE, CHIPS)["deployments"]
    assert [one["name"] for one in theirs] == [f"{one['name']}-chips" for one in ours]
    assert {one["work_pool"]["work_queue_name"] for one in theirs} == {"archive-chips", "reading"}
    assert {one["parameters"]["archive"] for one in theirs} == {"/srv/chips"}
    assert {one["parameters"].get("topic", "none") for one in theirs} == {"/etc/chips.yaml", "none"}
    for one, template in zip(theirs, ours, strict=True):
        kept = ("entrypoint", "description", "schedules", "concurrency_limit")
        assert [one.get(name) for name in kept] == [template.get(name) for name in kept]
        assert one["tags"] == [*template["tags"], "instance:chips"]
        assert one["parameters"].keys() == template["parameters"].keys()


def test_an_instance_is_known_again_by_what_the_server_has() -> None:
    crawl = deployments(FILE, CHIPS)["deployments"][0]
    assert instance_in(crawl["tags"], crawl["parameters"]) == CHIPS
    plain = deployments(FILE)["deployments"][0]
    assert instance_in(plain["tags"], plain["parameters"]) is None


def test_each_fetching_machine_may_have_a_pool_of_its_own() -> None:
    shared = deployments(ROOT / "deploy" / "fetchers.yaml")
    own = of_machines(shared, ["seoul-1", "busan-1"])["deployments"]
    pools = {one["name"]: one["work_pool"]["name"] for one in own}
    assert pools == {
        "hand-out-every-15-minutes": "seogo",
        "take-in-every-5-minutes": "seogo",
        "fetch-chunk-on-seoul-1": "seogo-fetchers-seoul-1",
        "fetch-chunk-on-busan-1": "seogo-fetchers-busan-1",
    }
    assert {one["entrypoint"] for one in own} == {one["entrypoint"] for one in shared["deployments"]}


def test_what_the_command_line_names(tmp_path: Path) -> None:
    topic = tmp_path / "chips.yaml"
    topic.touch()
    assert instance_of(None, None, None) is None
    assert instance_of("chips", topic, tmp_path / "a") == Instance("chips", str(topic), str(tmp_path / "a"))


@pytest.mark.parametrize(
    ("name", "topic", "archive", "said"),
    [
        ("a", None, None, "give --name NAME --archive DIR"),
        (None, None, Path("a"), "give --name NAME --archive DIR"),
        ("A b", None, Path("a"), "small letters, digits and hyphens"),
        ("a", Path("nowhere.yaml"), Path("a"), "there is no such file"),
    ],
)
def test_an_instance_that_cannot_be_made(name: str | None, topic: Path | None, archive: Path | None, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        instance_of(name, topic, archive)
