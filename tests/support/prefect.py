"""A real Prefect server and worker on loopback, with everything of seogo, and what tests ask them over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from flows.deployed.local import engine_at
from flows.deployed.processes import Engine
from flows.replica.corpus import make_corpus
from flows.replica.server import Replica

T = TypeVar("T")
PATIENCE = 150.0
"""Seconds. On SQLite the server may stand still for a minute, when its database is locked by itself."""
QUICK = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "3"}
"""A test waits for what an operator would not notice."""

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Operator:
    """What a person does at the UI, by the API that the UI uses. The schedules rest: a test starts its runs itself."""

    def __init__(self, engine: Engine, naver: Replica, folder: Path) -> None:
        self.engine = engine
        self.naver = naver
        self.folder = folder
        self._client = httpx.Client(base_url=f"{engine.api}/", timeout=90, trust_env=False)
        self.scheduled = until(self._scheduled, 90, lambda: "the schedules make no runs")
        for deployment in self.post("deployments/filter", {}):
            self._ask("PATCH", f"deployments/{deployment['id']}", {"paused": True})
        # One that came due before that would stand in the way of a test's own.
        until(lambda: self._none_works() or None, PATIENCE, lambda: "a scheduled run does not end")

    def close(self) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """An answer. While the server's database is busy (503) it is asked again, as Prefect's own client does."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._client.request(method, path, json=body)
            if answer.status_code != 503 or time.monotonic() > deadline:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _scheduled(self) -> list[dict[str, Any]] | None:
        """The runs that the schedules made, by time, once all that write every hour have some."""
        made: list[dict[str, Any]] = self.post("flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC"})
        return made if {"crawl", "refresh", "publish"} <= {tag for run in made for tag in run["tags"]} else None

    def _none_works(self) -> bool:
        unfinished = {"flow_runs": {"state": {"type": {"not_any_": sorted(FINAL)}}}}
        return not self.post("flow_runs/filter", unfinished)

    def save_block(self, kind: str, name: str, data: dict[str, Any]) -> None:
        block_type = self.get(f"block_types/slug/{kind}")["id"]
        asked = {"block_schemas": {"block_type_id": {"any_": [block_type]}}, "limit": 1}
        (schema,) = self.post("block_schemas/filter", asked)
        block = {"name": name, "data": data, "block_type_id": block_type, "block_schema_id": schema["id"]}
        self.post("block_documents/", block)

    def patient(self, name: str, seconds: float) -> None:
        """An automation as it is, but for its patience: minutes would be most of a test."""
        (found,) = [one for one in self.post("automations/filter", {}) if name in one["name"]]
        kept = {key: found[key] for key in ("name", "description", "enabled", "trigger", "actions")}
        kept["trigger"]["within"] = seconds
        self._ask("PUT", f"automations/{found['id']}", kept)

    def start(self, deployment: str, tags: Sequence[str] = (), /, **parameters: Any) -> str:
        """Ask for a run of `flow/deployment`; returns its id."""
        found = self.get(f"deployments/name/{deployment}")
        merged = {"parameters": {**found["parameters"]["parameters"], **parameters}}
        made = self.post(f"deployments/{found['id']}/create_flow_run", {"parameters": merged, "tags": list(tags)})
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
        """A whole run."""
        return self.ended(self.start(deployment, **parameters))

    def cancel(self, run: str) -> None:
        state = {"type": "CANCELLING", "name": "Cancelling"}
        self.post(f"flow_runs/{run}/set_state", {"state": state})

    def artifacts(self, run: str) -> dict[str, Any]:
        """A run's artifacts, kind -> data."""
        found = self.post("artifacts/filter", {"flow_runs": {"id": {"any_": [run]}}})
        return {artifact["type"]: artifact["data"] for artifact in found}

    def logs(self, run: str) -> str:
        """A run's log lines, with their levels. They arrive a little later than the state."""
        asked = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"}
        return "\n".join(f"{line['level']} {line['message']}" for line in self.post("logs/filter", asked))

    def states(self, run: str) -> list[str]:
        """The names of the states that a run was in."""
        return [state["name"] for state in self.get(f"flow_run_states/?flow_run_id={run}")]


class Sink:
    """Somebody who is told: a web hook on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.told: list[str] = []
        sink = self

        class Keep(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Nothing to standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def heard(self, *parts: str) -> str:
        """Wait until somebody said something that holds all these parts."""
        found = lambda: next((one for one in self.told if all(part in one for part in parts)), None)  # noqa: E731
        return until(found, 30, lambda: f"{self.told}")


def until(look: Callable[[], T | None], within: float, told: Callable[[], str]) -> T:
    """Look again and again until there is something."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {within} s: {told()}")


def writer_of(archive: Path) -> int:
    """The process that holds an archive's lease."""
    return int(json.loads((archive / "state" / "holder.json").read_text("utf-8"))["pid"])


@contextmanager
def operator(folder: Path, **environment: str) -> Iterator[Operator]:
    """Everything up, for the length of a block. The API's key is not in the worker's environment."""
    corpus = make_corpus(11, articles=260, presses=8, days=4, last=datetime.now(UTC))
    keyless = {"NAVER_CLIENT_ID": "", "NAVER_CLIENT_SECRET": "", **QUICK, **environment}
    with Replica(corpus) as naver, engine_at(folder / "prefect", naver=naver, more=keyless) as engine:
        hand = Operator(engine, naver, folder)
        try:
            yield hand
        finally:
            hand.close()
