"""What `seogo doctor` says of Prefect, against a real server: empty, with everything on it, and with each fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import prefect
import pytest

from flows.cli.exit_codes import Exit
from flows.deployed import health
from flows.deployed.apply import POOL
from flows.deployed.health import prefect_checks
from flows.deployed.processes import Engine
from flows.replica.server import Replica
from flows.runs.doctor.check import Check, Level
from flows.runs.doctor.schedule import schedule_check
from storage.archive import open_archive
from tests.support.checks import found
from tests.support.command import seogo
from tests.support.paths import ROOT
from tests.support.servers.prefect import PATIENCE, until

# Prefect's own use of what others have deprecated is not ours to fix.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

NAMES = ["prefect server", "prefect pool", "prefect worker", "prefect deployments"]


class Server:
    """A Prefect server, and what an operator changes on it by its API."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._client = httpx.Client(base_url=f"{engine.api}/", timeout=60, trust_env=False)

    def ask(self, method: str, path: str, **body: Any) -> Any:
        # On SQLite, a server that is busy answers 503.
        answer = until(lambda: self._answer(method, path, body), PATIENCE, lambda: f"{path} is not available")
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _answer(self, method: str, path: str, body: Any) -> httpx.Response | None:
        answer = self._client.request(method, path, json=body)
        return None if answer.status_code == 503 else answer

    def deployment(self, name: str) -> str:
        (one,) = [one for one in self.ask("POST", "deployments/filter") if one["name"] == name]
        return f"deployments/{one['id']}"

    def checks(self, *, named: bool = True) -> list[Check]:
        checks = prefect_checks(self.engine.api, named=named)
        assert [check.name for check in checks] == NAMES
        return checks

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def bare(empty: tuple[Engine, Replica]) -> Iterator[Server]:
    server = Server(empty[0])
    yield server
    server.close()


@pytest.fixture(scope="module")
def server(bare: Server, applied: Engine) -> Server:
    """With everything on it, and a worker. The schedules rest."""
    assert found(bare.checks(), "prefect worker").level is Level.ERROR
    applied.start_worker()
    until(lambda: bare.ask("POST", f"work_pools/{POOL}/workers/filter"), 90, lambda: "no worker")
    return bare


def test_a_server_with_nothing_on_it(bare: Server) -> None:
    checks = bare.checks()
    assert found(checks, "prefect server").level is Level.OK
    for name in NAMES[1:]:
        assert found(checks, name).level is Level.ERROR
    assert "missing: crawl-every-15-minutes, refresh-hourly" in found(checks, "prefect deployments").found
    assert found(checks, "prefect worker").todo == "run: prefect worker start --pool seogo"


def test_a_block_that_is_not_there_yet_keeps_nothing_from_being_applied(server: Server) -> None:
    log = (server.engine.home / "flows.deployed.apply.log").read_text("utf-8")
    assert "the server has no block 'slack-webhook/alerts'" in log
    assert "nobody is notified of failures" in log
    assert len(server.ask("POST", "automations/filter")) == 6


def test_the_schedule_in_one_line(server: Server, tmp_path: Path) -> None:
    until(lambda: server.ask("GET", f"work_pools/{POOL}")["status"] == "READY", 60, lambda: "the pool is not ready")
    good = schedule_check(server.engine.api)
    assert good.level is Level.OK
    since = "pool seogo is ready; crawl-every-15-minutes has not completed since it was made "
    assert re.fullmatch(re.escape(since) + r"(1 minute|\d+ minutes) ago", good.found)
    later = schedule_check(server.engine.api, now=datetime.now(UTC) + timedelta(hours=2))
    assert later.level is Level.ERROR
    assert "has not completed since it was made 12" in later.found

    with open_archive(tmp_path):
        pass
    ran = seogo("status", "--archive", tmp_path, env={"PREFECT_API_URL": server.engine.api})
    assert f"schedule: {since}" in ran.out.replace("\n", " ")
    assert "schedule" not in seogo("status", "--json", "--archive", tmp_path, env={"PREFECT_API_URL": ""}).json


def test_everything_in_order_as_the_command_tells_it(server: Server, tmp_path: Path) -> None:
    checks = server.checks()
    assert {check.level for check in checks} == {Level.OK}, checks
    assert "as in prefect.yaml" in found(checks, "prefect deployments").found
    env: dict[str, str | Path] = {"PREFECT_API_URL": server.engine.api, "SEOGO_TOPIC": tmp_path / "none.yaml"}
    ran = seogo("doctor", "--json", "--archive", tmp_path / "archive", env=env)
    assert ran.code == Exit.CHECK_FAILED  # for the topic file
    reported = {check["name"]: check for check in ran.json["checks"]}
    assert [reported[check.name]["found"] for check in checks] == [check.found for check in checks]


def test_a_server_that_the_environment_does_not_name(server: Server) -> None:
    check = found(server.checks(named=False), "prefect server")
    assert (check.level, check.todo) == (Level.WARNING, f"export PREFECT_API_URL={server.engine.api}")


def test_another_version_than_here(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect, "__version__", "3.8.0")
    check = found(server.checks(), "prefect server")
    assert check.level is Level.WARNING
    assert "here is 3.8.0" in check.found


@pytest.mark.parametrize(("path", "said"), [("", "pool seogo"), ("/queues/archive", "queue archive")])
def test_what_is_paused(server: Server, path: str, said: str) -> None:
    server.ask("PATCH", f"work_pools/{POOL}{path}", is_paused=True)
    check = found(server.checks(), "prefect pool")
    server.ask("PATCH", f"work_pools/{POOL}{path}", is_paused=False)
    assert check.level is Level.WARNING
    assert f"paused: {said}" in check.found
    assert found(server.checks(), "prefect pool").level is Level.OK


def test_a_queue_that_lets_two_write(server: Server) -> None:
    server.ask("PATCH", f"work_pools/{POOL}/queues/archive", concurrency_limit=2)
    check = found(server.checks(), "prefect pool")
    server.ask("PATCH", f"work_pools/{POOL}/queues/archive", concurrency_limit=1)
    assert (check.level, check.found) == (Level.ERROR, "the limit of the queue archive is 2, not 1")


@pytest.mark.parametrize(
    ("change", "back", "field"),
    [
        ({"paused": True}, {"paused": False}, "paused"),
        ({"tags": ["seogo"]}, {"tags": ["seogo", "crawl"]}, "tags"),
        ({"work_queue_name": "reading"}, {"work_queue_name": "archive"}, "queue"),
    ],
)
def test_a_deployment_that_was_changed(server: Server, change: Any, back: Any, field: str) -> None:
    path = server.deployment("crawl-every-15-minutes")
    server.ask("PATCH", path, **change)
    check = found(server.checks(), "prefect deployments")
    server.ask("PATCH", path, **back)
    assert check.level is Level.WARNING
    assert check.found == f"not as in prefect.yaml: crawl-every-15-minutes ({field})"
    assert found(server.checks(), "prefect deployments").level is Level.OK


def test_a_schedule_that_rests(server: Server) -> None:
    path = server.deployment("verify-weekly")
    (schedule,) = server.ask("GET", f"{path}/schedules")
    server.ask("PATCH", f"{path}/schedules/{schedule['id']}", active=False)
    check = found(server.checks(), "prefect deployments")
    server.ask("PATCH", f"{path}/schedules/{schedule['id']}", active=True)
    assert check.found == "not as in prefect.yaml: verify-weekly (schedules)"


def test_a_file_that_is_not_here_or_damaged_or_names_others(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(health, "__file__", str(tmp_path / "flows" / "deployed" / "health.py"))
    assert "not compared" in found(server.checks(), "prefect deployments").found
    for damaged in ("deployments: [", "deployments: [{name: a}]", "- a", ""):
        (tmp_path / "prefect.yaml").write_text(damaged, "utf-8")
        assert found(server.checks(), "prefect deployments").level is Level.ERROR
    whole = (ROOT / "prefect.yaml").read_text("utf-8")
    (tmp_path / "prefect.yaml").write_text(whole[: whole.index("  - name: digest-daily")], "utf-8")
    check = found(server.checks(), "prefect deployments")
    assert (check.level, check.found) == (Level.WARNING, "not as in prefect.yaml: digest-daily is not in the file")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/api", "http://me:CANARY@127.0.0.1:9/api", "no address", "http://[::1/api"]
)
def test_nobody_answers(address: str) -> None:
    (check,) = prefect_checks(address, named=True)
    assert (check.name, check.level) == ("prefect server", Level.ERROR)
    assert "prefect server start" in check.todo
    assert "CANARY" not in repr(check)


def test_the_schedule_of_a_server_that_does_not_answer() -> None:
    check = schedule_check("http://127.0.0.1:9/api")
    assert (check.name, check.level) == ("schedule", Level.WARNING)


def test_somebody_else_answers(server: Server) -> None:
    (check,) = prefect_checks(server.engine.url, named=True)  # its UI
    assert check.level is Level.ERROR
