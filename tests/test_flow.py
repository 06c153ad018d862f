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


def flow_run_of(state: Any) -> Any:
    """The run as Prefect's server keeps it."""
    from prefect.client.orchestration import get_client

    async def read() -> Any:
        async with get_client() as client:
            return await client.read_flow_run(state.state_details.flow_run_id)

    return asyncio.run(read())


def logs_of_everything() -> str:
    """Every log line that the server was sent."""
    from prefect.client.orchestration import get_client

    async def read() -> str:
        async with get_client() as client:
            return "\n".join(log.message for log in await client.read_logs(limit=200))

    return asyncio.run(read())


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

    run = flow_run_of(first)
    assert run.name == f"crawl into {tmp_path}"
    assert run.parameters["parameters"]["archive"] == str(tmp_path)

    second = flow_state(tmp_path)
    assert second.is_completed()
    assert "nothing_new" in str(second.message)

    naver.behaviour = Behaviour(rules=(Rule(Fault.BLOCK_NOTICE, host="search.naver.com"),))
    third = flow_state(tmp_path)
    naver.behaviour = Behaviour()
    assert third.is_failed()
    assert str(third.message).startswith("layout_changed: search_page:")

    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert CLIENT_SECRET.encode() not in path.read_bytes(), path
    assert CLIENT_SECRET not in caplog.text
    assert CLIENT_SECRET not in str(receipt)
    assert CLIENT_SECRET not in logs_of_everything()


def test_without_parameters_the_defaults_are_named(
    engine: None, naver: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As somebody runs it who fills in nothing: the shipped topic, `archive` in the working directory."""
    from flows.crawl import crawl

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEOGO_NAVER", "no address")
    running: Any = crawl(return_state=True)
    state = asyncio.run(running)
    assert state.is_failed()
    assert "SEOGO_NAVER='no address' is no stand-in's address" in str(state.message)
    assert flow_run_of(state).name == "crawl into archive"


def test_a_time_without_a_zone_is_korean() -> None:
    from flows.crawl import CrawlParameters

    since = CrawlParameters.model_validate({"since": "2025-12-28T09:30"}).since
    assert since is not None
    assert since.isoformat() == "2025-12-28T09:30:00+09:00"


def test_the_module_and_its_flow_are_told_apart() -> None:
    import flows
    import flows.crawl as module

    assert module.__name__ == "flows.crawl"
    assert module.crawl.fn.__module__ == "flows.crawl"
    assert flows.crawl is module


def test_the_deployment_names_a_flow_that_is_there() -> None:
    from prefect.client.schemas.objects import ConcurrencyLimitStrategy
    from prefect.client.schemas.schedules import CronSchedule
    from prefect.flows import load_flow_from_entrypoint

    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert len(deployments) == 1
    (deployment,) = deployments
    flow: Any = load_flow_from_entrypoint(deployment["entrypoint"])
    assert flow.name == "crawl"
    assert {schedule["timezone"] for schedule in deployment["schedules"]} == {"Asia/Seoul"}
    for schedule in deployment["schedules"]:
        CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    assert deployment["concurrency_limit"]["collision_strategy"] == ConcurrencyLimitStrategy.CANCEL_NEW.value
    assert flow.validate_parameters(deployment["parameters"])["parameters"].archive == "archive"
    form = flow.parameters.model_dump()
    definition = form["definitions"]["CrawlParameters"]["properties"]
    assert all(field.get("description") for field in definition.values()), definition
