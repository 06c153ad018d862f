"""The Prefect flow around a crawl: one real engine, one real stand-in, states and receipts as an operator sees them."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_up import receipt as plain_receipt

from flows.replica.corpus import make_corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.search_answers import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica

ROOT = Path(__file__).resolve().parents[1]
DEMO = str(ROOT / "topics" / "demo.yaml")

# Prefect's own use of what others have deprecated is not ours to mend.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def engine() -> Iterator[None]:
    """A server of Prefect's own, for this module."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from prefect.testing.utilities import prefect_test_harness

        with prefect_test_harness(server_startup_timeout=120):
            yield


@pytest.fixture(scope="module")
def naver() -> Iterator[Replica]:
    corpus = make_corpus(11, articles=300, presses=8, days=6, last=datetime.now(UTC))
    with Replica(corpus) as replica:
        yield replica


def flow_state(archive: Path) -> Any:
    from flows.crawl import CrawlParameters, crawl

    parameters = CrawlParameters(archive=str(archive), topic=DEMO, wait_seconds=0)
    running: Any = crawl(parameters, return_state=True)
    return asyncio.run(running)


def test_two_runs_a_changed_layout_and_keys_from_blocks(
    engine: None, naver: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.blocks.system import Secret
    from pydantic import SecretStr

    monkeypatch.setenv("SEOGO_NAVER", naver.url)
    for name in ("NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET", "NAVER_APIHUB_KEY_ID", "NAVER_APIHUB_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("naver-client-id", CLIENT_ID), ("naver-client-secret", CLIENT_SECRET)):
        Secret(value=SecretStr(value)).save(name)

    first = flow_state(tmp_path)
    assert (first.name, first.is_completed()) == ("Completed", True)
    receipt = asyncio.run(first.aresult())
    assert set(receipt) == set(plain_receipt().as_json())
    assert receipt["outcomes"]["new"] > 0
    assert sum(receipt["outcomes"].values()) == receipt["finds"]
    assert {s["end"] for s in receipt["sources"] if s["source"].startswith("search_api")} <= {"overlap", "end", "empty"}

    second = flow_state(tmp_path)
    assert second.is_completed()
    assert "nothing_new" in str(second.message)

    naver.behaviour = Behaviour(rules=(Rule(Fault.NO_LINKS, host="search.naver.com"),))
    third = flow_state(tmp_path)
    naver.behaviour = Behaviour()
    assert third.is_failed()
    assert str(third.message).startswith("layout_changed: search_page:")

    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert CLIENT_SECRET.encode() not in path.read_bytes(), path
    assert CLIENT_SECRET not in caplog.text


def test_the_deployment_names_a_flow_that_is_there() -> None:
    from prefect.flows import load_flow_from_entrypoint

    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert len(deployments) == 1
    (deployment,) = deployments
    flow: Any = load_flow_from_entrypoint(deployment["entrypoint"])
    assert flow.name == "crawl"
    assert {schedule["timezone"] for schedule in deployment["schedules"]} == {"Asia/Seoul"}
    assert deployment["concurrency_limit"]["collision_strategy"] == "CANCEL_NEW"
    form = flow.parameters.model_dump()
    definition = form["definitions"]["CrawlParameters"]["properties"]
    assert all(field.get("description") for field in definition.values()), definition
