"""A real Prefect server and worker on loopback: the states and accidents of docs/operations.md."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect_email import EmailServerCredentials

from flows.deployed.apply import POOL
from flows.deployed.automations import events, registration
from flows.deployed.backfill import backfill
from flows.deployed.crawl import crawl as crawl_flow
from flows.deployed.digest import digest
from flows.deployed.flow_runs import cancellation
from flows.deployed.flow_runs.archive_mark import variable_of
from flows.deployed.health import prefect_checks
from flows.deployed.publish import publish
from flows.deployed.refresh import refresh
from flows.deployed.reparse import reparse
from flows.deployed.report import report
from flows.deployed.verify import verify
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.pages.search_api import CLIENT_SECRET
from schemas.topic import default_topic_path
from storage.archive import open_archive
from storage.state.lease import leased
from tests.programs import tour
from tests.support.archives import rows
from tests.support.checks import found
from tests.support.command import seogo
from tests.support.paths import ROOT
from tests.support.servers.deployed import (
    CRAWL,
    SLOWLY,
    assert_whole,
    begun,
    cancel_once_begun,
    client_of,
    crawl_plainly,
    files_of,
)
from tests.support.servers.mail import MailServer
from tests.support.servers.prefect import Operator, Sink, until
from tests.support.servers.receiver import SECRET, Receiver, topic_with_webhook

# Prefect itself uses deprecated functions of other packages.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def _in_order(hand: Operator) -> Iterator[None]:
    """Remove the faults that a test set on the replica, and start what it left stopped."""
    yield
    hand.naver.behaviour = Behaviour()
    tour.start_missing(hand.engine)
    gc.collect()  # Prefect leaves connections open, and its warnings are none of the next test file's


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


def test_the_schedules_make_runs(hand: Operator) -> None:
    times = {
        datetime.fromisoformat(run["expected_start_time"]).minute for run in hand.scheduled if "crawl" in run["tags"]
    }
    assert times <= {0, 15, 30, 45}
    assert {tag for run in hand.scheduled for tag in run["tags"]} >= {"crawl", "refresh", "publish", "auto-scheduled"}


@pytest.mark.long
def test_twice_through_the_api(hand: Operator, tmp_path: Path, whole: dict[str, str]) -> None:
    first = hand.done(CRAWL, archive=str(tmp_path), create=True)
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


def test_the_flow_and_the_plain_function_give_the_same_receipt(
    here: Callable[..., Any], tmp_path: Path, hand: Operator
) -> None:
    state = here(tmp_path / "flow", create=True)
    assert state.is_completed()
    by_flow = asyncio.run(state.aresult())
    by_function = crawl_plainly(hand.naver.url, tmp_path / "plain").as_json()
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
    assert here(tmp_path, create=True).is_completed()
    wanted: list[tuple[Any, dict[str, Any], str]] = [
        (refresh, {}, "nothing_new: "),
        (backfill, {"last_days": 2}, ""),
        (backfill, {"gaps": True}, ""),
        (reparse, {}, "nothing_new: "),
        (reparse, {"quarantined": True}, ""),
        (publish, {}, "parquet 1 of 1 files"),
        (verify, {}, "captures: no faults"),
        (report, {}, "reported on the last 7 days"),
    ]
    for flow, parameters, said in wanted:
        state = here(tmp_path, flow, **parameters)
        assert (state.name, said in str(state.message)) == ("Completed", True), (flow.name, state)
        assert "markdown" in hand.artifacts(str(state.state_details.flow_run_id)), flow.name

    (page,) = hand.post("artifacts/filter", {"artifacts": {"key": {"any_": ["report-page"]}}})
    assert (tmp_path / "exports" / "report.html").as_uri() in page["data"]

    next((tmp_path / "articles").rglob("*.md")).write_text("altered", "utf-8")
    state = here(tmp_path, verify)
    assert (state.is_failed(), state.name) == (True, "Damaged")
    nowhere = here(tmp_path / "nowhere", report)
    assert (nowhere.is_failed(), nowhere.name) == (True, "BadInput")


def test_the_digest_is_an_artifact_and_a_mail_and_the_webhooks_get_the_changes(
    here: Callable[..., Any], hand: Operator, tmp_path: Path
) -> None:
    assert here(tmp_path / "a", create=True).is_completed()
    with MailServer() as mail, Receiver() as receiver:
        server = {"smtp_server": "127.0.0.1", "smtp_port": mail.port, "smtp_type": "INSECURE"}
        EmailServerCredentials(**server).save("post")
        hand.save_block("secret", "receiver-secret", {"value": SECRET})
        only = here(tmp_path / "a", digest)
        assert (only.name, "No mail: the parameter `mail` names no block" in str(only.message)) == ("Completed", True)
        assert "하루 요약" in hand.artifacts(str(only.state_details.flow_run_id))["markdown"]

        sent = here(tmp_path / "a", digest, mail="post", sender="a@b.example", to=["analyst@b.example"])
        assert (sent.name, "Sent to 1 addresses" in str(sent.message)) == ("Completed", True)
        (got,) = mail.received
        assert (got["From"], got["To"]) == ("a@b.example", "analyst@b.example")
        assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]
        assert "하루 요약" in got["Subject"]

        mail.refuses = True
        refused = here(tmp_path / "a", digest, mail="post", sender="a@b.example", to=["analyst@b.example"])
        assert (refused.name, "SMTPDataError 554" in str(refused.message)) == ("MailNotSent", True)
        missing = here(tmp_path / "a", digest, mail="nobody", to=["analyst@b.example"])
        assert (missing.name, "no block 'nobody'" in str(missing.message)) == ("BadInput", True)

        topic = topic_with_webhook(tmp_path, receiver)
        done = here(tmp_path / "a", publish, topic=str(topic))
        assert done.name == "Completed"
        assert receiver.ids == [str(seq) for (seq,) in rows(tmp_path / "a", "SELECT seq FROM events ORDER BY seq")]
        run = str(done.state_details.flow_run_id)
        told = f"{hand.artifacts(run)['markdown']}{hand.logs(run)}"
        assert "webhook 판: " in told
        assert SECRET not in told
        assert "hidden-in-the-path" not in told


def test_a_notification_block_that_is_not_there(hand: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    with client_of(hand):
        assert registration.main(["--notify", "slack-webhook/nobody"]) == 2
    assert "the server has no block 'slack-webhook/nobody'" in capsys.readouterr().err


def test_a_changed_layout_is_reported_and_a_busy_archive_is_no_traceback(
    here: Callable[..., Any], hand: Operator, sink: Sink, tmp_path: Path
) -> None:
    hand.naver.behaviour = Behaviour(rules=(Rule(Fault.BLOCK_NOTICE, host="search.naver.com"),))
    changed = here(tmp_path, create=True)
    assert (changed.is_failed(), changed.name) == (True, "LayoutChanged")
    assert str(changed.message).startswith("layout_changed: search_page:")
    assert "layout_changed: search_page:" in sink.wait_for("the layout of a page changed", tmp_path.name)

    with leased(tmp_path):
        busy = here(tmp_path, wait_seconds=0.1)
    assert (busy.is_failed(), busy.name) == (True, "Busy")
    assert f"process {os.getpid()}" in busy.message
    run = str(busy.state_details.flow_run_id)
    logs = until(lambda: _if_in("Finished in state Busy", hand.logs(run)), 20, lambda: hand.logs(run))
    assert "Traceback" not in logs


@pytest.mark.long
def test_cancelled_and_then_killed(hand: Operator, sink: Sink, tmp_path: Path, whole: dict[str, str]) -> None:
    """A cancelled run stores what it fetched before it ends. A killed run leaves that to the next run."""
    run, _ = begun(hand, tmp_path)
    hand.cancel(run)
    assert hand.ended(run)["state_type"] == "CANCELLED"
    lines = hand.logs(run).partition("Beginning flow run")[2].splitlines()[1:]
    assert lines == ["30 stopping: what was fetched is stored first"]
    stored = files_of(tmp_path)
    assert 0 < len(stored) < len(whole)

    run, process = begun(hand, tmp_path)
    os.kill(process, signal.SIGKILL)
    assert hand.ended(run, within=20)["state_type"] == "CRASHED"
    sink.wait_for("a run was killed", f"crawl demo into {tmp_path.name}")

    hand.naver.behaviour = Behaviour()
    assert hand.done(CRAWL, archive=str(tmp_path))["state"]["name"] == "Completed"
    assert_whole(tmp_path, whole)


def test_a_run_that_no_worker_watches_notices_its_cancellation(
    here: Callable[..., Any], hand: Operator, tmp_path: Path, whole: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an outage, in which the worker has given up listening."""
    monkeypatch.setattr(cancellation, "ASKED_EVERY", 1.0)
    hand.naver.log.clear()
    hand.naver.behaviour = SLOWLY
    with ThreadPoolExecutor() as person:
        cancelling = person.submit(cancel_once_begun, hand)
        state = here(tmp_path, create=True)
    assert (state.name, state.is_cancelled()) == ("Cancelled", True)
    run = cancelling.result()
    assert hand.run(run)["state_type"] == "CANCELLED"
    assert 0 < len(files_of(tmp_path)) < len(whole)
    lines = until(lambda: hand.logs(run).partition("Beginning flow run")[2].splitlines()[1:], 20, lambda: "no log")
    assert lines == ["30 stopping: what was fetched is stored first"]


@pytest.mark.long
def test_the_server_restarts_in_the_middle(hand: Operator, tmp_path: Path, whole: dict[str, str]) -> None:
    run, _ = begun(hand, tmp_path)
    hand.engine.stop_server()
    hand.engine.start_server()
    assert hand.ended(run)["state"]["name"] == "Completed"
    assert_whole(tmp_path, whole)


@pytest.mark.long
def test_flat_parameters_keep_the_others_of_the_deployment(hand: Operator, tmp_path: Path) -> None:
    place = {"archive": str(tmp_path / "a"), "create": True}
    swept = hand.done("backfill/nightly-sweep", last_days=1, **place)
    assert (swept["state"]["name"], swept["name"]) == ("Completed", "backfill the last 1 days of demo into a")
    assert (swept["parameters"]["again"], swept["parameters"]["last_days"]) == (True, 1)
    assert re.search(r"\(\d+ new, 0 edited, \d+ copies; \d+ requests\)", swept["state"]["message"])

    wrong = hand.done("backfill/backfill-by-hand", first="2025-12-03", last="2025-12-01", **place)
    assert (wrong["state"]["name"], wrong["name"]) == ("BadInput", "backfill 2025-12-03..2025-12-01 of demo into a")
    assert "the last day (2025-12-01) is before the first (2025-12-03)" in wrong["state"]["message"]


def test_a_vanished_or_exchanged_archive_is_refused(
    here: Callable[..., Any], hand: Operator, tmp_path: Path, sink: Sink
) -> None:
    archive = tmp_path / "a"
    assert here(archive).name == "BadInput"  # nothing says that it is to be made
    assert here(archive, create=True).is_completed()
    aside = archive.rename(tmp_path / "aside")
    for flow in (refresh, verify, publish, crawl_flow):
        state = here(archive, flow)
        assert (state.name, state.is_failed()) == ("BadInput", True), flow.name
        assert "The last run left one there" in str(state.message)
    sink.wait_for("a run failed", "The last run left one there")
    assert not archive.exists()

    archive.mkdir()  # the mount point without its disk
    assert here(archive, refresh).name == "BadInput"
    archive.rmdir()
    with open_archive(archive):
        pass  # an empty archive
    assert "is an empty archive" in str(here(archive, crawl_flow).message)
    shutil.rmtree(archive)
    shutil.copytree(aside, archive)
    assert here(archive, refresh).is_completed()

    name = variable_of(archive)
    mark = hand.get(f"variables/name/{name}")["value"]
    hand.ask("PATCH", f"variables/name/{name}", {"value": {**mark, "cursor": mark["cursor"] + 1}})
    older = here(archive, crawl_flow)
    assert (older.name, "is an older copy" in str(older.message)) == ("Damaged", True)
    assert f"prefect variable unset {name}" in str(older.message)
    hand.ask("DELETE", f"variables/name/{name}")
    assert here(archive, refresh).is_completed()


@pytest.mark.long
def test_what_was_stored_is_announced_and_published(hand: Operator, tmp_path: Path) -> None:
    """By the example of docs/operations.md: a deployment of somebody else, run by the event."""
    example = tmp_path / "downstream"
    example.mkdir()
    for name in ("digest.py", "prefect.yaml"):
        (example / name).write_text(_example(name), "utf-8")
    words = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    subprocess.run(words, cwd=example, env=hand.engine.environment, check=True, capture_output=True)
    hand.enable("publish-hourly when articles were stored")
    archive = tmp_path / "a"
    crawled = hand.done(CRAWL, archive=str(archive), create=True)
    digest = until(lambda: next(iter(hand.runs_of("digest/digest")), None), 60, lambda: f"{hand.automations()}")
    published = until(lambda: next(iter(hand.runs_of("publish/publish-hourly")), None), 60, lambda: "not published")
    hand.enable("publish-hourly when articles were stored", is_on=False)
    assert hand.ended(digest["id"])["state"]["name"] == "Completed"
    new = re.search(r"\((\d+) new", crawled["state"]["message"])
    assert new
    said = f"{new[1]} new articles in {archive.resolve()}"
    until(lambda: _if_in(said, hand.logs(digest["id"])), 30, lambda: hand.logs(digest["id"]))
    assert "since 0" in hand.logs(digest["id"])
    hand.ask("DELETE", f"deployments/{digest['deployment_id']}")
    done = hand.ended(published["id"])
    assert (done["name"], done["state"]["name"]) == ("publish a", "Completed")
    assert (archive / "exports" / "atom.xml").exists()


def _example(file: str) -> str:
    """A file of the example in docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    found = re.search(rf"^```\w+ title={re.escape(file)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, file
    return found[1]


@pytest.mark.long
def test_a_silence_is_reported_once_and_so_is_its_end(
    hand: Operator, here: Callable[..., Any], sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand.patient("no crawl completed", 10)
    crawl = hand.get(f"deployments/name/{CRAWL}")
    assert hand.done(CRAWL, archive=str(tmp_path), create=True)["state"]["name"] == "Completed"
    message = sink.wait_for("no crawl completed for an hour", "crawl-every-15-minutes")
    assert f"{hand.engine.url}/deployments/deployment/{crawl['id']}" in message

    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", crawl["id"])
    monkeypatch.setattr(events, "NOTICED_AFTER", {"crawl": timedelta(0)})
    assert here(tmp_path).is_completed()
    sink.wait_for("runs are on schedule again", "crawl-every-15-minutes: no run completed between ")
    assert sum("no crawl completed" in one for one in sink.received) == 1


@pytest.mark.long
def test_a_worker_that_is_gone_and_a_queue_that_is_blocked_are_reported(
    hand: Operator, sink: Sink, tmp_path: Path
) -> None:
    sink.received.clear()
    hand.patient("no crawl began", 10)
    assert hand.done(CRAWL, archive=str(tmp_path), create=True)["state"]["name"] == "Completed"
    hand.engine.stop_worker()
    sink.wait_for("no crawl began for 45 minutes", "crawl-every-15-minutes")
    told = sink.wait_for("no worker", f"{hand.engine.url}/work-pools/work-pool/{POOL}")
    assert "a worker is back" not in "".join(sink.received), told

    waiting = hand.start(CRAWL, archive=str(tmp_path))
    hand.engine.start_worker()
    sink.wait_for("a worker is back")
    assert hand.ended(waiting)["state"]["name"] == "Completed"
    assert [sum(name in one for one in sink.received) for name in ("no worker", "a worker is back")] == [1, 1]


@pytest.mark.long
def test_an_outage_is_reported_once_and_so_is_its_end(hand: Operator, sink: Sink, tmp_path: Path) -> None:
    sink.received.clear()
    for _ in range(2):
        assert hand.done("report/report-daily", archive=str(tmp_path / "nowhere"))["state"]["name"] == "BadInput"
    message = sink.wait_for("a run failed", "report of 7 days of nowhere: BadInput")
    assert re.search(rf"{hand.engine.url}/runs/flow-run/[0-9a-f-]+\n", message.replace("\\n", "\n"))
    crawl_plainly(hand.naver.url, tmp_path / "a")
    assert hand.done("report/report-daily", archive=str(tmp_path / "a"))["state"]["name"] == "Completed"
    sink.wait_for("runs complete again", "report of 7 days of a")
    assert sum("a run failed" in one for one in sink.received) == 1


@pytest.mark.long
def test_a_slow_run_of_one_topic_delays_none_of_another(hand: Operator, tmp_path: Path) -> None:
    words = ["--name", "other", "--archive", str(tmp_path / "other"), "--topic", str(default_topic_path())]
    hand.engine.run("flows.deployed.apply", *words)
    hand.pause_schedules()
    slow, _ = begun(hand, tmp_path / "slow")
    hand.naver.behaviour = Behaviour(rules=(Rule(Fault.SLOW, host="n.news.naver.com", seconds=25),))
    other = hand.done("refresh/refresh-hourly-other")
    assert other["state"]["name"] == "BadInput"  # its own archive, which is not there
    assert str(tmp_path / "other") in other["state"]["message"]
    assert other["work_queue_name"] == "archive-other"
    assert hand.run(slow)["state"]["name"] == "Running"
    hand.naver.behaviour = Behaviour()
    assert hand.ended(slow)["state"]["name"] == "Completed"
    check = found(prefect_checks(hand.engine.api, named=True), "prefect deployments")
    assert "not in the file" not in check.found


@pytest.mark.long
def test_worker_and_process_are_killed(hand: Operator, tmp_path: Path, whole: dict[str, str]) -> None:
    """No process is left to report it: the server notices missing heartbeats. Late scheduled runs are cancelled."""
    hand.patient("heartbeats stopped", 12)
    hand.patient("a scheduled crawl that could not begin", 10)
    run, process = begun(hand, tmp_path)
    _kill_worker(hand)
    os.kill(process, signal.SIGKILL)
    crashed = hand.ended(run, within=60)
    assert crashed["state_type"] == "CRASHED"
    assert "no heartbeat" in crashed["state"]["message"]

    late = [hand.start(CRAWL, ["auto-scheduled"], archive=str(tmp_path)) for _ in range(2)]
    asked_for = hand.start(CRAWL, archive=str(tmp_path))
    assert [hand.ended(one, within=60)["state_type"] for one in late] == ["CANCELLED"] * 2

    hand.naver.behaviour = Behaviour()
    hand.engine.start_worker()
    assert hand.ended(asked_for)["state"]["name"] == "Completed"
    assert_whole(tmp_path, whole)
    assert {hand.run(one)["name"] for one in late} == {f"crawl demo into {tmp_path.name}"}


def test_a_run_whose_process_is_gone_is_ended_by_the_next_worker(hand: Operator, tmp_path: Path) -> None:
    """Also where no trigger waits for its heartbeats. Automations that are as they should be are left alone.

    An alert with the name that it had in an earlier version is replaced.
    """
    run, process = begun(hand, tmp_path)
    _kill_worker(hand)
    os.kill(process, signal.SIGKILL)
    with client_of(hand):
        assert registration.main([]) == 0  # what other tests have changed
    before = hand.automations()
    hand.ask("DELETE", f"automations/{hand.automation('heartbeats stopped')['id']}")
    hand.rename("seogo: alert: a run failed", "seogo: tell: a run failed")
    with client_of(hand):
        assert registration.main([]) == 0
    after = hand.automations()
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {
        "seogo: a run whose heartbeats stopped is crashed",
        "seogo: alert: a run failed",
    }
    assert hand.run(run)["state"]["name"] == "Running"
    hand.engine.start_worker()
    assert "its process is gone" in hand.ended(run)["state"]["message"]


def _kill_worker(hand: Operator) -> None:
    assert hand.engine.worker is not None
    hand.engine.worker.kill()
    hand.engine.stop_worker()


def test_a_short_tour(hand: Operator, sink: Sink, tmp_path: Path, whole: dict[str, str]) -> None:
    """One of the sequences of `make tour`: the power fails, and the worker starts before the server."""
    result = tour.sequence(hand, sink, tmp_path / "a", whole, seed=0, steps=2)
    assert result.fault == "", result


@pytest.mark.long
def test_the_documented_upgrade_runs_as_it_stands(hand: Operator, tmp_path: Path) -> None:
    """The commands of docs/operations.md, for this server and checkout. No systemd, no git."""
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    for name, script in {
        "systemctl": 'echo "$@" >> "$CALLS"',
        "runuser": 'shift 3; exec "$@"',
        "git": "",
        "make": "",
    }.items():
        (stubs / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (stubs / name).chmod(0o755)
    commands = _commands_of("Upgrade")
    for documented, here in {
        "http://127.0.0.1:4200/api": hand.engine.api,
        "/var/lib/seogo/worker": str(hand.engine.home),
        "/opt/seogo": str(ROOT),
    }.items():
        commands = commands.replace(documented, here)
    calls = tmp_path / "calls"
    environment = {**hand.engine.environment, "PATH": f"{stubs}:{os.environ['PATH']}", "CALLS": str(calls)}
    subprocess.run(["bash", "-euxc", commands], env=environment, check=True, capture_output=True, timeout=240)
    hand.pause_schedules()
    assert calls.read_text("utf-8").split() == [
        *("stop", "seogo-worker", "restart", "seogo-server", "start", "seogo-worker"),
    ]
    assert hand.get(f"work_pools/{POOL}")["is_paused"] is False


def _commands_of(section: str) -> str:
    """The first console block of a section of docs/operations.md, without prompts."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8").partition(f"\n## {section}\n")[2]
    block = text.partition("```console\n")[2].partition("```")[0]
    return "\n".join(line.removeprefix("# ") for line in block.splitlines())


@pytest.mark.long
def test_an_outage_of_the_server(hand: Operator, tmp_path: Path, whole: dict[str, str]) -> None:
    """The run does its work, and reports its end once the server is back. The worker then takes the next one."""
    run, _ = begun(hand, tmp_path)
    hand.engine.stop_server()
    hand.naver.behaviour = Behaviour()
    time.sleep(100)  # more than the 90 seconds after which the server misses its heartbeats
    assert_whole(tmp_path, whole)
    hand.engine.start_server()
    until(lambda: hand.run(run)["state"]["name"] == "Completed" or None, 60, lambda: f"{hand.states(run)}")
    assert hand.engine.worker is not None
    assert hand.engine.worker.poll() is None
    assert hand.done(CRAWL, archive=str(tmp_path))["state"]["name"] == "Completed"


@pytest.mark.long
def test_a_cancellation_after_a_long_outage(hand: Operator, tmp_path: Path, whole: dict[str, str]) -> None:
    """The worker no longer listens for the run, which asks the server itself once it is back."""
    topic = tmp_path / "slow.yaml"
    topic.write_text(f"extends: {ROOT / 'topics' / 'demo.yaml'}\nname: slow\nlimits: {{concurrency: 1}}\n", "utf-8")
    run, _ = begun(hand, tmp_path / "a", topic=str(topic))
    hand.naver.behaviour = Behaviour(rules=(Rule(Fault.SLOW, host="n.news.naver.com", seconds=25),))
    hand.engine.stop_server()
    log = hand.engine.home / "worker.log"
    until(lambda: _if_in("Cancellation polling task failed", log.read_text("utf-8")), 600, lambda: "it still listens")
    hand.engine.start_server()
    hand.cancel(run)
    assert hand.ended(run)["state_type"] == "CANCELLED"
    assert 0 < len(files_of(tmp_path / "a")) < len(whole)
    assert hand.logs(run).endswith("30 stopping: what was fetched is stored first")
