"""Whether scheduled crawls happen, asked of Prefect's server without Prefect, whose import takes seconds."""

from __future__ import annotations

import base64
import json
import os
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

from flows.runs.doctor.check import Check, error, ok, warning
from schemas.counted import counted

POOL = "seogo"
_NAME = "schedule"
_WITHIN = 5.0
_SILENT_AFTER = timedelta(hours=1)
_TODO = "see docs/operations.md, Responding to an alert"
_ENDED = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]


def schedule_check(api: str, now: datetime | None = None) -> Check:
    """One line: when a crawl last completed, whether the pool is ready, what waits or was cancelled since."""
    try:
        faults, good = _examined(_Server(api), now or datetime.now(UTC))
    except (OSError, HTTPException) as fault:
        return warning(_NAME, f"Prefect's server could not be asked ({type(fault).__name__})", "is it running?")
    except (ValueError, LookupError, TypeError) as fault:
        what = f"Prefect's server gave an answer that seogo does not know ({type(fault).__name__}: {fault})"
        return warning(_NAME, what, "compare its version with requirements.lock")
    if faults:
        return error(_NAME, "; ".join(faults), _TODO)
    return ok(_NAME, "; ".join(good))


class _Server:
    def __init__(self, api: str) -> None:
        self._api = api.rstrip("/")
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def get(self, path: str) -> Any:
        return self._ask(path, None)

    def post(self, path: str, **body: Any) -> Any:
        return self._ask(path, json.dumps(body).encode())

    def _ask(self, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(f"{self._api}/{path}", body)  # noqa: S310 - an address of the user's
        request.add_header("Content-Type", "application/json")
        if secret := os.environ.get("PREFECT_API_AUTH_STRING"):
            request.add_header("Authorization", f"Basic {base64.b64encode(secret.encode()).decode()}")
        with self._open(request, timeout=_WITHIN) as answer:
            return json.load(answer)


def _examined(server: _Server, now: datetime) -> tuple[list[str], list[str]]:
    """What is wrong, and what is in order."""
    pool = server.get(f"work_pools/{POOL}")["status"]
    faults, good = [], []
    if pool == "READY":
        good.append(f"pool {POOL} is ready")
    else:
        faults.append(f"pool {POOL} is {pool.lower().replace('_', ' ')}: no run begins")
    crawls = server.post("deployments/filter", deployments={"tags": {"all_": ["seogo", "crawl"]}})
    if not crawls:
        faults.append("there is no deployment of crawl")
    for crawl in crawls:
        since, said = _last_completed(server, crawl, now)
        (faults if now - since > _SILENT_AFTER else good).append(said)
        if now - since > _SILENT_AFTER:
            faults += _reasons(server, crawl, since)
    return faults, good


def _last_completed(server: _Server, crawl: Any, now: datetime) -> tuple[datetime, str]:
    found = _runs(server, crawl, {"type": {"any_": ["COMPLETED"]}}, limit=1)
    since = datetime.fromisoformat(found[0]["end_time"] if found else crawl["created"])
    ago = counted(int((now - since).total_seconds()) // 60, "minute")
    if found:
        return since, f"{crawl['name']} last completed {ago} ago"
    return since, f"{crawl['name']} has not completed since it was made {ago} ago"


def _reasons(server: _Server, crawl: Any, since: datetime) -> Iterator[str]:
    """Why no crawl completes: what waits, what was cancelled, what else holds the queue."""
    late = _runs(server, crawl, {"name": {"any_": ["Late", "Pending", "AwaitingConcurrencySlot"]}})
    if late:
        yield f"{len(late)} of its runs wait"
    ended = _runs(server, crawl, {"type": {"any_": _ENDED[1:]}}, since=since)
    for state in sorted({run["state_name"] for run in ended}):
        yield f"{sum(run['state_name'] == state for run in ended)} ended as {state}"
    queue = {"work_queues": {"name": {"any_": [crawl["work_queue_name"]]}}}
    running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "CANCELLING"]}}, "tags": {"all_": ["seogo"]}}}
    for run in server.post("flow_runs/filter", **queue, **running):
        yield f"the queue is held by {run['name']!r}, since {run['start_time']}"


def _runs(server: _Server, crawl: Any, state: Any, *, since: datetime | None = None, limit: int = 200) -> list[Any]:
    wanted: dict[str, Any] = {"state": state, "deployment_id": {"any_": [crawl["id"]]}}
    if since is not None:
        wanted["end_time"] = {"after_": since.isoformat()}
    found: list[Any] = server.post("flow_runs/filter", flow_runs=wanted, sort="END_TIME_DESC", limit=limit)
    return found
