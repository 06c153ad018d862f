"""A real Prefect server and worker on loopback: the states and accidents of docs/operations.md."""

from __future__ import annotations

import asyncio
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prefect import tags
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.deployed import automations
from flows.deployed.apply import POOL
from flows.deployed.backfill import backfill
from flows.deployed.crawl import crawl as crawl_flow
from flows.deployed.parameters import (
    ArchiveParameters,
    BackfillParameters,
    CrawlParameters,
    RefreshParameters,
    ReparseParameters,
    ReportParameters,
)
from flows.deployed.publish import publish
from flows.deployed.refresh import refresh
from flows.deployed.reparse import reparse
from flows.deployed.report import report
from flows.deployed.verify import verify
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.search_answers import CLIENT_ID, CLIENT_SECRET
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.settings import topic_from
from flows.sources.api_keys import ApiKey
from schemas.article import Outcome
from schemas.receipt import Receipt
from storage.integrity.repair import verify_archive
from storage.state.lease import leased
from tests.support.command import seogo
from tests.support.paths import ROOT
from tests.support.prefect import Operator, Sink, operator, until, writer_of

# Prefect itself uses deprecated functions of other packages.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

CRAWL = "crawl/crawl-every-15-minutes"
SLOWLY = Behaviour(rules=(Rule(Fault.SLOW, host="n.news.naver.com", seconds=1.5),))
"""A crawl of the replica then takes some seconds: time for an accident."""


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def hand(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Everything running, with the key in Secret blocks and a notification block."""
    with operator(tmp_path_factory.mktemp("real")) as hand:
        for name, value in (("naver-client-id", CLIENT_ID), ("naver-client-secret", CLIENT_SECRET)):
            hand.save_block("secret", name, {"value": value})
        told = {"text": "{{subject}}\n{{body}}"}
        hand.save_block("custom-webhook", "sink", {"name": "sink", "url": sink.url, "json_data": told})
        with _client_of(hand):
            assert automations.main(["--notify", "custom-webhook/sink"]) == 0
        yield hand


@pytest.fixture(autouse=True)
def _behaves(hand: Operator) -> Iterator[None]:
    """Remove the faults that a test set on the replica."""
    yield
    hand.naver.behaviour = Behaviour()


@pytest.fixture(scope="module")
def whole(hand: Operator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an uninterrupted crawl archives, by the plain function."""
    archive = tmp_path_factory.mktemp("plain")
    assert plainly(hand, archive).outcomes[Outcome.NEW] > 5
    return files_of(archive)


def test_the_doctor_tries_keys_that_stand_in_secret_blocks(hand: Operator, tmp_path: Path) -> None:
    topic = ROOT / "topics" / "demo.yaml"
    env: dict[str, str | Path] = {
        "PREFECT_API_URL": hand.engine.api,
        "SEOGO_NAVER": hand.naver.url,
        "SEOGO_TOPIC": topic,
    }
    ran = seogo("doctor", "--json", "--archive", tmp_path / "archive", env=env)
    (key,) = [check for check in ran.json["checks"] if check["name"] == "key openapi"]
    assert key["level"] == "ok"
    assert CLIENT_SECRET not in ran.out


def plainly(hand: Operator, archive: Path) -> Receipt:
    """A crawl by the plain function, with the same topic, key and replica."""
    keys = {"openapi": ApiKey(CLIENT_ID, CLIENT_SECRET)}
    order = CrawlOrder(topic_from(ROOT / "topics" / "demo.yaml"), archive, naver=hand.naver.url, keys=keys)
    return asyncio.run(crawl(order))


def files_of(archive: Path) -> dict[str, str]:
    """Every article's file by its path, without the time of its crawl."""
    files = (archive / "articles").rglob("*.md")
    return {str(f.relative_to(archive)): "\n".join(_lasting(f.read_text("utf-8"))) for f in files}


def _lasting(text: str) -> list[str]:
    return [line for line in text.splitlines() if "rawled" not in line]


def assert_whole(archive: Path, whole: dict[str, str]) -> None:
    """Nothing is lost, duplicated or damaged."""
    assert files_of(archive) == whole
    assert verify_archive(archive, wait=10).faults == []


def begun(hand: Operator, archive: Path) -> tuple[str, int]:
    """A run that has fetched some of its pages. Returns its id and its process."""
    hand.naver.behaviour = SLOWLY
    hand.naver.log.clear()
    run = hand.start(CRAWL, archive=str(archive))
    until(lambda: _pages(hand) >= 5 or None, 60, lambda: f"{hand.run(run)['state']}")
    return run, writer_of(archive)


def _pages(hand: Operator) -> int:
    return sum(entry.host == "n.news.naver.com" for entry in hand.naver.log.entries)


def test_the_schedules_make_runs(hand: Operator) -> None:
    times = {
        datetime.fromisoformat(run["expected_start_time"]).minute for run in hand.scheduled if "crawl" in run["tags"]
    }
    assert times <= {0, 15, 30, 45}
    assert {tag for run in hand.scheduled for tag in run["tags"]} >= {"crawl", "refresh", "publish", "auto-scheduled"}


def test_twice_through_the_api(hand: Operator, tmp_path: Path, whole: dict[str, str]) -> None:
    first = hand.done(CRAWL, archive=str(tmp_path))
    assert (first["state"]["name"], first["name"]) == ("Completed", f"crawl demo into {tmp_path.name}")
    assert_whole(tmp_path, whole)
    artifacts = hand.artifacts(first["id"])
    assert "| new | " in artifacts["markdown"]
    assert len(artifacts["table"]) > 5
    assert artifacts["progress"] >= 0

    second = hand.done(CRAWL, archive=str(tmp_path))
    assert second["state"]["name"] == "Completed"
    assert second["state"]["message"].startswith("nothing_new: ")
    assert "all of them known" in second["state"]["message"]
    assert "table" not in hand.artifacts(second["id"])
    logs = until(lambda: _if_in("finds (", hand.logs(first["id"])), 20, lambda: hand.logs(first["id"]))
    assert "Traceback" not in logs
    everything = f"{logs}{artifacts}{first}{hand.run(first['id'])}"
    assert CLIENT_SECRET not in everything


def _if_in(part: str, text: str) -> str | None:
    return text if part in text else None


@pytest.fixture
def here(hand: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Runs a flow (`crawl`) in this process, against the same server. Returns its state."""
    for name, value in hand.engine.environment.items():
        if name.startswith(("SEOGO_", "NAVER_")):
            monkeypatch.setenv(name, value)

    def run(archive: Path, flow: Any = crawl_flow, parameters: Callable[..., Any] = CrawlParameters) -> Any:
        return asyncio.run(flow(parameters(archive=str(archive), wait_seconds=0.1), return_state=True))

    with _client_of(hand), tags("seogo"):
        yield run


@contextmanager
def _client_of(hand: Operator) -> Iterator[None]:
    """This process as a client of the server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with temporary_settings({PREFECT_API_URL: hand.engine.api, PREFECT_HOME: hand.folder}):
            yield


def test_the_flow_and_the_plain_function_give_the_same_receipt(
    here: Callable[..., Any], tmp_path: Path, hand: Operator
) -> None:
    state = here(tmp_path / "flow")
    assert state.is_completed()
    by_flow = asyncio.run(state.aresult())
    by_function = plainly(hand, tmp_path / "plain").as_json()
    for of in (by_flow, by_function):
        for name in ("run_id", "started_at", "finished_at", "seconds", "hosts", "newest", "bytes"):
            assert of.pop(name)
    sources = [receipt.pop("sources") for receipt in (by_flow, by_function)]
    assert by_flow == by_function
    assert [[one[key] for key in ("source", "end", "items", "pages")] for one in sources[0]] == [
        [one[key] for key in ("source", "end", "items", "pages")] for one in sources[1]
    ]


def test_every_other_flow_ends_in_a_true_state_with_an_account(
    here: Callable[..., Any], hand: Operator, tmp_path: Path
) -> None:
    """After a crawl, all flows that need an archive; then verify with a damaged file."""
    assert here(tmp_path).is_completed()
    wanted: list[tuple[Any, Any, str]] = [
        (refresh, RefreshParameters, "nothing_new: "),
        (backfill, partial(BackfillParameters, last_days=2), ""),
        (backfill, partial(BackfillParameters, gaps=True), ""),
        (reparse, ReparseParameters, "nothing_new: "),
        (reparse, partial(ReparseParameters, quarantined=True), ""),
        (publish, ArchiveParameters, "parquet 1 of 1 files"),
        (verify, ArchiveParameters, "captures: no faults"),
        (report, ReportParameters, "reported on the last 7 days"),
    ]
    for flow, parameters, said in wanted:
        state = here(tmp_path, flow, parameters)
        assert (state.name, said in str(state.message)) == ("Completed", True), (flow.name, state)
        assert "markdown" in hand.artifacts(str(state.state_details.flow_run_id)), flow.name

    (page,) = hand.post("artifacts/filter", {"artifacts": {"key": {"any_": ["report-page"]}}})
    assert (tmp_path / "exports" / "report.html").as_uri() in page["data"]

    next((tmp_path / "articles").rglob("*.md")).write_text("altered", "utf-8")
    state = here(tmp_path, verify, ArchiveParameters)
    assert (state.is_failed(), state.name) == (True, "Damaged")
    nowhere = here(tmp_path / "nowhere", report, ReportParameters)
    assert (nowhere.is_failed(), nowhere.name) == (True, "BadInput")


def test_a_notification_block_that_is_not_there(hand: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    with _client_of(hand):
        assert automations.main(["--notify", "slack-webhook/nobody"]) == 2
    assert "the server has no block 'slack-webhook/nobody'" in capsys.readouterr().err


def test_a_changed_layout_is_told_and_a_busy_archive_is_no_traceback(
    here: Callable[..., Any], hand: Operator, sink: Sink, tmp_path: Path
) -> None:
    hand.naver.behaviour = Behaviour(rules=(Rule(Fault.BLOCK_NOTICE, host="search.naver.com"),))
    changed = here(tmp_path)
    assert (changed.is_failed(), changed.name) == (True, "LayoutChanged")
    assert str(changed.message).startswith("layout_changed: search_page:")
    assert "layout_changed: search_page:" in sink.wait_for("the layout of a page changed", tmp_path.name)

    with leased(tmp_path):
        busy = here(tmp_path)
    assert (busy.is_failed(), busy.name) == (True, "Busy")
    assert f"process {os.getpid()}" in busy.message
    run = str(busy.state_details.flow_run_id)
    logs = until(lambda: _if_in("Finished in state Busy", hand.logs(run)), 20, lambda: hand.logs(run))
    assert "Traceback" not in logs


def test_cancelled_and_then_killed(hand: Operator, sink: Sink, tmp_path: Path, whole: dict[str, str]) -> None:
    """A cancelled run stores what it fetched before it ends. A killed run leaves that to the next run."""
    run, _ = begun(hand, tmp_path)
    hand.cancel(run)
    assert hand.ended(run)["state_type"] == "CANCELLED"
    stored = files_of(tmp_path)
    assert 0 < len(stored) < len(whole)

    run, process = begun(hand, tmp_path)
    os.kill(process, signal.SIGKILL)
    assert hand.ended(run, within=20)["state_type"] == "CRASHED"
    sink.wait_for("a run was killed", f"crawl demo into {tmp_path.name}")

    hand.naver.behaviour = Behaviour()
    assert hand.done(CRAWL, archive=str(tmp_path))["state"]["name"] == "Completed"
    assert_whole(tmp_path, whole)


def test_the_server_restarts_in_the_middle(hand: Operator, tmp_path: Path, whole: dict[str, str]) -> None:
    run, _ = begun(hand, tmp_path)
    hand.engine.stop_server()
    hand.engine.start_server()
    assert hand.ended(run)["state"]["name"] == "Completed"
    assert_whole(tmp_path, whole)


def test_worker_and_process_are_killed(hand: Operator, tmp_path: Path, whole: dict[str, str]) -> None:
    """No process is left to report it: the server notices missing heartbeats. Late scheduled runs are cancelled."""
    hand.patient("heartbeats stopped", 12)
    hand.patient("a scheduled crawl that could not begin", 10)
    run, process = begun(hand, tmp_path)
    assert hand.engine.worker is not None
    hand.engine.worker.kill()
    os.kill(process, signal.SIGKILL)
    hand.engine.stop_worker()
    crashed = hand.ended(run, within=60)
    assert crashed["state_type"] == "CRASHED"
    assert "no heartbeat" in crashed["state"]["message"]

    late = [hand.start(CRAWL, ["auto-scheduled"], archive=str(tmp_path)) for _ in range(2)]
    asked_for = hand.start(CRAWL, archive=str(tmp_path))
    assert [hand.ended(one, within=60)["state_type"] for one in late] == ["CANCELLED"] * 2

    hand.naver.behaviour = Behaviour()
    hand.engine.start_worker(POOL)
    assert hand.ended(asked_for)["state"]["name"] == "Completed"
    assert_whole(tmp_path, whole)
