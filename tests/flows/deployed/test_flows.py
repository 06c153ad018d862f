"""The deployments without a server: parameters, states, automations, stopping."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.deployed.automations import alerts, events, triggers
from flows.deployed.flow_runs import states
from flows.deployed.flow_runs.archive_mark import Mark
from flows.deployed.flow_runs.execution import RunBridge
from flows.deployed.flow_runs.parameters import (
    ReparseParameters,
)
from flows.deployed.processes import Engine, EngineFailed
from flows.pipeline.stop import Stop
from schemas.article import Outcome
from schemas.errors import ArchiveBusy, ArchiveDamaged, ArchiveTooNew, BadInput, TopicError
from schemas.receipt import ExitReason, SourceEnd, SourceReport
from storage.state import uploads
from tests.support.paths import ROOT
from tests.support.servers.prefect import until
from tests.support.values import ended
from tests.support.values import receipt as empty_receipt

# Prefect itself uses deprecated functions of other packages.
pytestmark = pytest.mark.filterwarnings("default")

DAYS = "2025-12-01..2025-12-03"
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]


def flow_of(deployment: dict[str, Any]) -> Any:
    from prefect.flows import load_flow_from_entrypoint

    return load_flow_from_entrypoint(deployment["entrypoint"])


# -- states


def receipt(reason: ExitReason, **given: Any) -> dict[str, Any]:
    made = ended(empty_receipt())
    made.exit_reason, made.explanation = reason, "so it was"
    return {**made.as_json(), **given}


FAILURES = set(ExitReason) - {ExitReason.DONE, ExitReason.NOTHING_NEW, ExitReason.PARTLY_FAILED}


@pytest.mark.parametrize("reason", sorted(FAILURES))
def test_a_run_that_did_not_do_its_job_failed_under_a_name_of_its_own(reason: ExitReason) -> None:
    state = states.of_receipt(receipt(reason))
    assert state.is_failed()
    assert state.name == "".join(word.title() for word in reason.split("_"))
    assert state.message == f"{reason}: so it was (0 new, 0 edited, 0 copies; 0 requests)"
    assert f"prefect.flow-run.{state.name}" in events_of_alerts()


@pytest.mark.parametrize("reason", [ExitReason.DONE, ExitReason.NOTHING_NEW])
def test_a_run_that_did_its_job_completed_and_says_why(reason: ExitReason) -> None:
    state = states.of_receipt(receipt(reason))
    assert (state.name, state.is_completed()) == ("Completed", True)
    assert str(state.message).startswith(f"{reason}: so it was (")


def test_the_message_has_the_numbers() -> None:
    outcomes = {"new": 1200, "edited": 3, "duplicate": 2, "unchanged": 7, "failed": 1}
    state = states.of_receipt(receipt(ExitReason.DONE, outcomes=outcomes, requests=40))
    assert state.message == "done: so it was (1,200 new, 3 edited, 2 copies, 1 failed; 40 requests)"


@pytest.mark.parametrize(
    ("failed", "pages", "too_much"),
    [(2, 0, False), (2, 2, False), (3, 3, True), (3, 29, True), (3, 30, False), (30, 299, True), (30, 300, False)],
)
def test_how_much_may_fail(failed: int, pages: int, too_much: bool) -> None:
    ended_run = receipt(ExitReason.PARTLY_FAILED, outcomes={"failed": failed}, pages_read=pages)
    state = states.of_receipt(ended_run)
    assert (state.name == "PartlyFailed") == too_much == state.is_failed()
    assert ("are tolerated" in str(state.message)) == too_much


@pytest.mark.parametrize("end", [SourceEnd.FAILED, SourceEnd.NO_KEY])
def test_a_source_that_could_not_be_read_is_too_much(end: SourceEnd) -> None:
    made = ended(empty_receipt())
    made.exit_reason = ExitReason.PARTLY_FAILED
    made.outcomes[Outcome.NEW] = 100
    made.sources.append(SourceReport("search_api:독자 AI", end, "no answer"))
    state = states.of_receipt(made.as_json())
    assert state.name == "PartlyFailed"
    assert "sources that could not be read: 1" in str(state.message)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ArchiveBusy("archive is busy."), "Busy"),
        (ArchiveDamaged("archive is damaged."), "Damaged"),
        (TopicError("topic.yaml:1: no"), "BadInput"),
        (ArchiveTooNew("too new."), "Failed"),
    ],
)
def test_errors_of_ours_are_states_with_their_sentence(error: Any, name: str) -> None:
    state = states.of_error(error)
    assert (state.is_failed(), state.name, state.message) == (True, name, str(error))
    assert f"prefect.flow-run.{name}" in events_of_alerts()


# -- automations


BLOCK = "11111111-1111-1111-1111-111111111111"


def events_of_alerts() -> set[str]:
    """The events that trigger a notification."""
    made = alerts.alerts(BLOCK)
    return {event for one in made for event in getattr(one.trigger, "expect", ())}


def test_each_end_of_a_run_is_in_one_alert() -> None:
    expected = [event for one in alerts.alerts(BLOCK) for event in getattr(one.trigger, "expect", ())]
    assert len(expected) == len(set(expected))
    assert "prefect.flow-run.Crashed" in expected


def test_every_automation_says_what_it_is_for() -> None:
    made = [
        *triggers.housekeeping(),
        *alerts.alerts(BLOCK),
        *alerts.silence_alerts(BLOCK),
        *alerts.upload_alerts(BLOCK),
    ]
    assert all(one.description for one in made)
    assert len({one.name for one in made}) == len(made)


def test_captures_that_wait_for_their_object_store_raise_an_alert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, Any]] = []
    monkeypatch.setattr(events, "emit_event", lambda event, resource, payload: told.append((event, payload)))
    mark = Mark(str(tmp_path), "20260102T030405Z-0001", 1)
    events.emit_uploads(tmp_path, mark)
    assert told == []  # an archive without an object store
    uploads.note(tmp_path, "s3://bucket/naver", 2, 300, "the store cannot be reached.")
    events.emit_uploads(tmp_path, mark)
    uploads.note(tmp_path, "s3://bucket/naver", 0, 0, "")
    events.emit_uploads(tmp_path, mark)
    assert [event for event, _ in told] == [events.NOT_UPLOADED, events.UPLOADED]
    assert [payload["waiting"] for _, payload in told] == [2, 0]
    triggers_of = {name for one in alerts.upload_alerts(BLOCK) for name in getattr(one.trigger, "expect", ())}
    assert triggers_of == {events.NOT_UPLOADED, events.UPLOADED}


def test_the_silence_of_every_schedule_is_noticed() -> None:
    """Each flow with a schedule, but for the backfills: a gap that they leave is in the ledger."""
    scheduled = {flow_of(one).name for one in DEPLOYMENTS if one.get("schedules")}
    assert events.SILENT_AFTER.keys() == scheduled - {"backfill"}
    assert events.SILENT_AFTER["crawl"] > events.BLOCKED_AFTER


def test_three_heartbeats_may_be_missed() -> None:
    for deployment in DEPLOYMENTS:
        beat = int(deployment["work_pool"]["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
        assert timedelta(seconds=3 * beat) <= triggers.DEAD_AFTER


def test_a_late_run_is_left_to_the_next_before_that_comes() -> None:
    period = {"crawl": timedelta(minutes=15), "refresh": timedelta(hours=1), "publish": timedelta(hours=1)}
    assert triggers.STALE_AFTER.keys() == period.keys()
    assert all(within < period[flow] for flow, within in triggers.STALE_AFTER.items())


# -- stopping


def test_a_stop_is_requested_from_another_thread() -> None:
    bridge, began = RunBridge(), threading.Event()

    async def plain(stop: Stop) -> str:
        began.set()
        while not stop.requested:  # noqa: ASYNC110 - as a fetch does between two answers
            await asyncio.sleep(0.01)
        return f"stored; by hand: {stop.by_hand}"

    def ask() -> None:
        began.wait(5)
        bridge.request_stop()

    asking = threading.Thread(target=ask)
    asking.start()
    assert bridge.run(plain) == "stored; by hand: True"
    asking.join()
    assert bridge.stopped()
    bridge.request_stop()  # the loop has ended: no error


def test_a_stop_requested_before_the_function_began() -> None:
    bridge = RunBridge()
    bridge.request_stop()

    async def plain(stop: Stop) -> bool:
        await asyncio.sleep(0)
        return stop.requested

    assert bridge.run(plain)


def test_the_time_of_a_form_is_that_of_the_order() -> None:
    since = ReparseParameters(since=date(2025, 12, 1)).since_time
    assert since == datetime.fromisoformat("2025-12-01T00:00:00+09:00")


# -- make prefect


def test_ctrl_c_takes_everything_down_that_was_started(tmp_path: Path) -> None:
    """During the start; test_real_server.py tests the rest."""
    home = tmp_path / "prefect"
    words = [sys.executable, "-m", "flows.deployed.local", "--home", str(home)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        until(lambda: _processes_of(home) or None, 30, lambda: "no server was started")
        running.send_signal(signal.SIGINT)
        said = running.stdout.read()
    assert running.returncode == 0
    assert said.endswith("everything is stopped\n")
    assert _processes_of(home) == []
    assert (home / ".gitignore").read_text("utf-8") == "*\n"


def test_a_signal_while_a_process_is_started_leaves_none_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def popen(*words: Any, **more: Any) -> subprocess.Popen[bytes]:
        started.append(begin(*words, **more))
        signal.raise_signal(signal.SIGINT)  # it runs, but is not yet stored in a variable
        return started[-1]

    begin = subprocess.Popen
    monkeypatch.setattr("flows.deployed.processes.subprocess.Popen", popen)
    engine = Engine(tmp_path / "prefect", {})
    with pytest.raises(KeyboardInterrupt):
        engine.start_server()
    engine.stop()
    assert started[0].poll() is not None


def test_a_client_that_fails_or_is_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    engine = Engine(tmp_path, {})
    with pytest.raises(EngineFailed, match=r"no_such_module failed: see .*no_such_module\.log"):
        engine.run("no_such_module")

    def interrupted() -> None:
        until(lambda: _processes_of(tmp_path) or None, 30, lambda: "it was not started")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), engine.running("http.server", "--bind", "127.0.0.1", "0"):
        interrupted()
    assert _processes_of(tmp_path) == []


def _processes_of(home: Path) -> list[int]:
    """The processes with this PREFECT_HOME."""
    mark = f"PREFECT_HOME={home}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def test_elsewhere_it_says_that_there_is_no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.deployed import local

    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"prefect\.yaml does not exist: run this in seogo's checkout"):
        local.run_until_interrupted(tmp_path / "home", 0)
