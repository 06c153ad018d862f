"""A real Prefect server and worker on loopback with all deployments of seogo, and a client for their HTTP API."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from flows.deployed.local import engine_at, environment_of
from flows.deployed.processes import Engine
from flows.replica.corpus.articles import make_corpus
from flows.replica.server import Replica
from tests.support.servers.postgresql import binaries, postgresql

T = TypeVar("T")
PATIENCE = 150.0
"""Seconds. With SQLite the server may hang for a minute when it has locked its own database."""
QUICK = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "3"}
"""Short intervals, so that tests need not wait."""

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Operator:
    """Acts like a user of the UI, through the same API. Schedules are paused: tests start their own runs."""

    def __init__(self, engine: Engine, naver: Replica, folder: Path) -> None:
        self.engine = engine
        self.naver = naver
        self.folder = folder
        self._client = httpx.Client(base_url=f"{engine.api}/", timeout=90, trust_env=False)
        self.scheduled = until(self._scheduled, 90, lambda: "the schedules make no runs")
        self.pause_schedules()
        # A run that was due before the pause would interfere with those of the tests.
        until(self._no_scheduled_run_works, PATIENCE, lambda: "a scheduled run does not end")

    def pause_schedules(self) -> None:
        for deployment in self.post("deployments/filter", {}):
            self.ask("PATCH", f"deployments/{deployment['id']}", {"paused": True})

    def close(self) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.ask("POST", path, body)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request. It is repeated while the server's database is busy (503), as in Prefect's own client."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._client.request(method, path, json=body)
            if answer.status_code != 503 or time.monotonic() > deadline:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _scheduled(self) -> list[dict[str, Any]] | None:
        """The scheduled runs by time, once all deployments that run at least hourly have some."""
        made: list[dict[str, Any]] = self.post("flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC"})
        return made if {"crawl", "refresh", "publish"} <= {tag for run in made for tag in run["tags"]} else None

    def _no_scheduled_run_works(self) -> bool:
        """One that was late before the pause is taken by no worker: it is deleted."""
        for run in self.post("flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}):
            self._client.delete(f"flow_runs/{run['id']}")
        return self.none_works()

    def none_works(self) -> bool:
        unfinished = {"flow_runs": {"state": {"type": {"not_any_": sorted(FINAL)}}}}
        return not self.post("flow_runs/filter", unfinished)

    def save_block(self, kind: str, name: str, data: dict[str, Any]) -> None:
        block_type = self.get(f"block_types/slug/{kind}")["id"]
        asked = {"block_schemas": {"block_type_id": {"any_": [block_type]}}, "limit": 1}
        (schema,) = self.post("block_schemas/filter", asked)
        block = {"name": name, "data": data, "block_type_id": block_type, "block_schema_id": schema["id"]}
        self.post("block_documents/", block)

    def runs_of(self, deployment: str) -> list[dict[str, Any]]:
        """The runs of `flow/deployment` that are not of the schedule, the newest first."""
        found = self.get(f"deployments/name/{deployment}")
        asked = {"flow_runs": {"deployment_id": {"any_": [found["id"]]}}, "sort": "EXPECTED_START_TIME_DESC"}
        return [run for run in self.post("flow_runs/filter", asked) if "auto-scheduled" not in run["tags"]]

    def enable(self, automation: str, *, is_on: bool = True) -> None:
        self.ask("PATCH", f"automations/{self.automation(automation)['id']}", {"enabled": is_on})

    def automations(self) -> dict[str, str]:
        """Name -> when it was last changed."""
        return {one["name"]: f"{one['id']} {one['updated']}" for one in self.post("automations/filter", {})}

    def patient(self, name: str, seconds: float) -> None:
        """Shorten the waiting time of an automation, which is minutes by default."""
        self._change(name, lambda kept: kept["trigger"].update(within=seconds))

    def rename(self, name: str, other: str) -> None:
        """Rename an automation."""
        self._change(name, lambda kept: kept.update(name=other))

    def _change(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        found = self.automation(name)
        kept = {key: found[key] for key in ("name", "description", "enabled", "trigger", "actions")}
        change(kept)
        self.ask("PUT", f"automations/{found['id']}", kept)

    def automation(self, name: str) -> dict[str, Any]:
        """The automation with this in its name."""
        (found,) = [one for one in self.post("automations/filter", {}) if name in one["name"]]
        return dict(found)

    def start(self, deployment: str, tags: Sequence[str] = (), /, **parameters: Any) -> str:
        """Start a run of `flow/deployment`; returns its id."""
        found = self.get(f"deployments/name/{deployment}")
        asked = {"parameters": parameters, "tags": list(tags)}
        made = self.post(f"deployments/{found['id']}/create_flow_run", asked)
        return str(made["id"])

    def run(self, run: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"flow_runs/{run}")
        return answer

    def ended(self, run: str, *, within: float = PATIENCE) -> dict[str, Any]:
        """Wait until a run has ended."""
        return until(lambda: self._if_final(run), within, lambda: f"{self.run(run)['state']}")

    def _if_final(self, run: str) -> dict[str, Any] | None:
        found = self.run(run)
        return found if found["state_type"] in FINAL else None

    def done(self, deployment: str, **parameters: Any) -> dict[str, Any]:
        """Start a run and wait until it has ended."""
        return self.ended(self.start(deployment, **parameters))

    def cancel(self, run: str) -> None:
        state = {"type": "CANCELLING", "name": "Cancelling"}
        self.post(f"flow_runs/{run}/set_state", {"state": state})

    def artifacts(self, run: str) -> dict[str, Any]:
        """A run's artifacts, kind -> data."""
        found = self.post("artifacts/filter", {"flow_runs": {"id": {"any_": [run]}}})
        return {artifact["type"]: artifact["data"] for artifact in found}

    def logs(self, run: str) -> str:
        """The log of a run, with levels. It arrives a little later than the state."""
        asked = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"}
        return "\n".join(f"{line['level']} {line['message']}" for line in self.post("logs/filter", asked))

    def states(self, run: str) -> list[str]:
        """The names of all states of a run."""
        return [state["name"] for state in self.get(f"flow_run_states/?flow_run_id={run}")]


class Sink:
    """A webhook on loopback that stores what it receives."""

    def __init__(self) -> None:
        self.received: list[str] = []
        sink = self

        class Keep(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Do not log to standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, *parts: str) -> str:
        """Wait for a message that contains all these parts."""
        found = lambda: next((one for one in self.received if all(part in one for part in parts)), None)  # noqa: E731
        return until(found, 30, lambda: f"{self.received}")


def until(look: Callable[[], T | None], within: float, state: Callable[[], str]) -> T:
    """Call `look` repeatedly until it returns something."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {within} s: {state()}")


def writer_of(archive: Path) -> int:
    """The id of the process that holds the lease of an archive."""
    return int(json.loads((archive / "state" / "holder.json").read_text("utf-8"))["pid"])


@contextmanager
def operator(folder: Path, articles: int = 260, /, **environment: str) -> Iterator[Operator]:
    """Server, worker and replica during a block. The API key is not in the worker's environment."""
    with (
        _surroundings(articles, environment) as (more, naver),
        engine_at(folder / "prefect", naver=naver, more=more) as engine,
    ):
        hand = Operator(engine, naver, folder)
        try:
            yield hand
        finally:
            hand.close()


@contextmanager
def empty_server(folder: Path, **environment: str) -> Iterator[tuple[Engine, Replica]]:
    """A server with nothing on it, and a replica, during a block. Neither deployments nor a worker."""
    with _surroundings(260, environment) as (more, naver):
        engine = Engine(folder / "prefect", {**environment_of(folder / "prefect", naver.url), **more})
        try:
            engine.start_server()
            yield engine, naver
        finally:
            engine.stop()


@contextmanager
def _surroundings(articles: int, environment: Mapping[str, str]) -> Iterator[tuple[dict[str, str], Replica]]:
    """What a server needs: its variables, without the API key, and a replica."""
    corpus = make_corpus(11, articles=articles, presses=8, days=4, last=datetime.now(UTC))
    with _database() as settings, Replica(corpus) as naver:
        yield {"NAVER_CLIENT_ID": "", "NAVER_CLIENT_SECRET": "", **QUICK, **environment, **settings}, naver


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """Settings for a server on PostgreSQL where it is installed, else on SQLite."""
    if (found := binaries()) is None:
        yield {}
    else:
        with postgresql(found) as address:
            yield {"PREFECT_SERVER_DATABASE_CONNECTION_URL": address}
