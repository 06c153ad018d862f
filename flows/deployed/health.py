"""What `seogo doctor` checks of Prefect: server, pool, worker, and deployments in step with prefect.yaml."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import prefect
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import Worker, WorkerStatus, WorkPool, WorkQueue
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.deployed.apply import POOL, QUEUES
from flows.deployed.flow_runs import blocks
from flows.deployed.template import DEPLOYMENTS, Instance, deployments, instance_in
from flows.runs.doctor.check import Check, error, ok, warning

_WITHIN = 20.0
_APPLY = "run: python -m flows.deployed.apply (docs/operations.md)"
_TAG = "seogo"


def prefect_checks(api: str, *, named: bool) -> list[Check]:
    """What scheduled runs need. `api`: the server's address; `named`: PREFECT_API_URL gives it."""
    shown = _without_password(api)
    try:
        # Few retries, for a server that is busy; one that cannot be reached is tried once anyway.
        with temporary_settings({PREFECT_API_URL: api, PREFECT_CLIENT_MAX_RETRIES: 2}):
            return asyncio.run(_checks(shown, named=named))
    except (httpx.HTTPError, TimeoutError, ValueError) as fault:
        found = f"{shown} does not answer as a Prefect server does ({type(fault).__name__})"
        return [error("prefect server", found, "start it (prefect server start), or correct PREFECT_API_URL")]


def key_values(api: str) -> dict[str, str]:
    """The keys in Secret blocks of the server at `api`, by environment variable; none if it does not answer."""
    try:
        with temporary_settings({PREFECT_API_URL: api, PREFECT_CLIENT_MAX_RETRIES: 0}):
            return asyncio.run(asyncio.wait_for(blocks.key_values(), _WITHIN))
    except (httpx.HTTPError, TimeoutError, ValueError):
        return {}  # `prefect_checks` says why


def _without_password(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "the address in PREFECT_API_URL"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


async def _checks(shown: str, *, named: bool) -> list[Check]:
    async with asyncio.timeout(_WITHIN), get_client() as client:
        server = _server(shown, await client.api_version(), named=named)
        deployments = _deployments(await client.read_deployments())
        try:
            pool = await client.read_work_pool(POOL)
        except ObjectNotFound:
            missing = error("prefect pool", f"there is no work pool {POOL}", _APPLY)
            return [server, missing, _worker([]), deployments]
        queues, workers = await client.read_work_queues(POOL), await client.read_workers_for_work_pool(POOL)
        return [server, _pool(pool, {queue.name: queue for queue in queues}), _worker(workers), deployments]


def _server(shown: str, running: str, *, named: bool) -> Check:
    found = f"version {running} answers at {shown}"
    if running != prefect.__version__:
        return warning("prefect server", f"{found}; here is {prefect.__version__}", "upgrade both to the same version")
    if not named:
        found = f"{found}, but PREFECT_API_URL is not set: commands and workers started here do not use it"
        return warning("prefect server", found, f"export PREFECT_API_URL={shown}")
    return ok("prefect server", found)


def _pool(pool: WorkPool, queues: Mapping[str, WorkQueue]) -> Check:
    if wrong := list(_queue_faults(queues)):
        return error("prefect pool", "; ".join(wrong), _APPLY)
    paused = [f"pool {POOL}"] * pool.is_paused + [f"queue {name}" for name in QUEUES if queues[name].is_paused]
    if paused:
        found = f"paused: {', '.join(paused)}: no run begins"
        return warning("prefect pool", found, f"if that is no longer meant: prefect work-pool resume {POOL}")
    return ok("prefect pool", f"{POOL}, with the queues {' and '.join(QUEUES)}")


def _queue_faults(queues: Mapping[str, WorkQueue]) -> Iterator[str]:
    """What of the queues is not as it has to be."""
    for name, limit in QUEUES.items():
        if name not in queues:
            yield f"there is no queue {name}"
        elif queues[name].concurrency_limit != limit:
            yield f"the limit of the queue {name} is {queues[name].concurrency_limit}, not {limit}"


def _worker(workers: Sequence[Worker]) -> Check:
    online = [worker.name for worker in workers if worker.status is WorkerStatus.ONLINE]
    if online:
        return ok("prefect worker", f"{len(online)} online: {', '.join(online)}")
    found = f"none of {len(workers)} is online" if workers else "there is none"
    return error("prefect worker", f"{found}: no run begins", f"run: prefect worker start --pool {POOL}")


# -- deployments


def _file() -> Path | None:
    """prefect.yaml here, or in the checkout of this module."""
    checkout = Path(__file__).resolve().parents[2]
    return next((file for file in (DEPLOYMENTS, checkout / DEPLOYMENTS) if file.is_file()), None)


def _wanted(file: Path, instances: Iterable[Instance]) -> dict[str, dict[str, Any]]:
    """The deployments of prefect.yaml by name, and those of the instances, with what counts of them."""
    contents = [deployments(file, instance) for instance in (None, *instances)]
    return {one["name"]: _facts_of_file(one) for content in contents for one in content["deployments"]}


def _instances(there: Sequence[DeploymentResponse]) -> set[Instance]:
    crawls = [one for one in there if {_TAG, "crawl"} <= set(one.tags)]
    return {found for one in crawls if (found := instance_in(one.tags, one.parameters))}


def _facts_of_file(one: Mapping[str, Any]) -> dict[str, Any]:
    limit = one.get("concurrency_limit") or {}
    return {
        "entrypoint": one["entrypoint"],
        "pool": one["work_pool"]["name"],
        "queue": one["work_pool"]["work_queue_name"],
        "tags": sorted(one["tags"]),
        "parameters": one["parameters"],
        "limit": (limit.get("limit"), limit.get("collision_strategy")),
        "schedules": sorted((s["slug"], s["cron"], s["timezone"], s["active"]) for s in one.get("schedules", [])),
        "paused": False,
    }


def _facts_of_server(one: DeploymentResponse) -> dict[str, Any]:
    limit, options = one.global_concurrency_limit, one.concurrency_options
    schedules = [
        (s.slug, getattr(s.schedule, "cron", None), getattr(s.schedule, "timezone", None), s.active)
        for s in one.schedules
    ]
    return {
        "entrypoint": one.entrypoint,
        "pool": one.work_pool_name,
        "queue": one.work_queue_name,
        "tags": sorted(one.tags),
        "parameters": one.parameters,
        "limit": (limit and limit.limit, options and options.collision_strategy.value),
        "schedules": sorted(schedules, key=str),
        "paused": one.paused,
    }


def _deployments(there: Sequence[DeploymentResponse]) -> Check:
    ours = {one.name: _facts_of_server(one) for one in there if _TAG in one.tags or one.work_pool_name == POOL}
    file = _file()
    if file is None:
        found = f"{len(ours)} on the server; not compared, as {DEPLOYMENTS} is not here"
        return warning("prefect deployments", found, "run seogo doctor in seogo's checkout")
    try:
        wanted = _wanted(file, _instances(there))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError) as fault:
        found = f"{file} cannot be read ({type(fault).__name__})"
        return error("prefect deployments", found, "correct it, or take that of the repository again")
    if missing := [name for name in wanted if name not in ours]:
        return error("prefect deployments", f"missing: {', '.join(missing)}", _APPLY)
    if differing := list(_differences(ours, wanted)):
        found = f"not as in {DEPLOYMENTS}: {'; '.join(differing)}"
        return warning("prefect deployments", found, f"if that is not meant, {_APPLY}")
    return ok("prefect deployments", f"{len(wanted)}, as in {DEPLOYMENTS}")


def _differences(ours: Mapping[str, dict[str, Any]], wanted: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    for name, facts in sorted(ours.items()):
        if name not in wanted:
            yield f"{name} is not in the file"
        elif fields := [field for field, value in wanted[name].items() if facts[field] != value]:
            yield f"{name} ({', '.join(fields)})"
