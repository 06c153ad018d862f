"""Creates or updates everything of seogo on a Prefect server: pool, queues, deployments, automations.

    python -m flows.deployed.apply [--wait 120] [--notify slack-webhook/alerts]
    python -m flows.deployed.apply --fetchers [MACHINE ...]
    python -m flows.deployed.apply --name a --topic a.yaml --archive /var/lib/seogo/a

Run it in the checkout that the worker runs, with PREFECT_API_URL set. It may be run again at any time. With `--name`,
it makes a second set of deployments, for another topic and archive, with a writer queue of its own. With `--fetchers`,
fetching machines share one pool, or each of those that are named has a pool of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from prefect.cli import app as prefect
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.settings import PREFECT_API_URL
from prefect.workers.process import ProcessWorker

from flows.deployed.automations import registration
from flows.deployed.server import wait_for_server
from flows.deployed.template import (
    DEPLOYMENTS,
    READERS,
    WRITERS,
    Instance,
    deployments,
    instance_of,
    of_machines,
    pool_of,
)
from schemas.errors import BadInput, SeogoError
from storage.inbox.inbox import check_fetcher

POOL = "seogo"
FETCHERS_POOL = "seogo-fetchers"
"""The pool that machines share which only fetch (deploy/fetchers.yaml)."""
FETCHERS = Path("deploy/fetchers.yaml")
QUEUES = {WRITERS: 1, READERS: None}
"""Queue -> how many of its runs may execute at once. All deployments that write share the queue `archive`."""


def apply(instance: Instance | None = None, *, wait: float = 0.0) -> None:
    """Create or update pool, queues and deployments. Raises BadInput, NoServer, SystemExit.

    `wait`: seconds to wait for the server.
    """
    _check(DEPLOYMENTS, wait)
    asyncio.run(_pool_and_queues(instance))
    _deploy(deployments(DEPLOYMENTS, instance))


def apply_fetchers(machines: Sequence[str] = (), *, wait: float = 0.0) -> None:
    """Create or update pools and deployments of fetchers, in addition to those of `apply`. Raises as `apply`.

    `machines`: those that get a pool of their own; none: they share one.
    """
    names = [check_fetcher(machine) for machine in machines]
    _check(FETCHERS, wait)
    content = deployments(FETCHERS)
    asyncio.run(_pools([pool_of(FETCHERS_POOL, name) for name in names] or [FETCHERS_POOL]))
    _deploy(of_machines(content, names) if names else content)


def _check(source: Path, wait: float) -> None:
    """Whether the server and the file are there. Imports the flows."""
    api = PREFECT_API_URL.value()
    if not api:
        raise BadInput("PREFECT_API_URL is not set: set the server's address, such as http://127.0.0.1:4200/api.")
    if not source.is_file():
        raise BadInput(f"{source.resolve()} does not exist: run this in seogo's checkout.")
    for one in deployments(source)["deployments"]:  # while the server starts
        import_module(one["entrypoint"].rpartition(".")[0])
    if wait:
        wait_for_server(api, within=wait)


def _deploy(content: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / DEPLOYMENTS.name
        file.write_text(yaml.safe_dump(dict(content), sort_keys=False), "utf-8")
        _prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(file))


def _prefect(*words: str) -> None:
    """Run the command `prefect` in this process: another one would import Prefect again, which takes seconds.

    Raises SystemExit if it fails.
    """
    arguments, sys.argv = sys.argv, ["prefect", *words]
    try:
        prefect()
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.argv = arguments


async def _pool_and_queues(instance: Instance | None) -> None:
    async with get_client() as client:
        await _pool(client)
        queues = {**QUEUES, instance.queue: 1} if instance else QUEUES
        for name, limit in queues.items():
            await _queue(client, name, limit)


async def _pool(client: PrefectClient, name: str = POOL) -> None:
    try:
        await client.read_work_pool(name)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        pool = WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template)
        with suppress(ObjectAlreadyExists):  # a worker that starts at the same time creates it, too
            await client.create_work_pool(pool)


async def _pools(names: Sequence[str]) -> None:
    async with get_client() as client:
        for name in names:
            await _pool(client, name)


async def _queue(client: PrefectClient, name: str, limit: int | None) -> None:
    try:
        queue = await client.read_work_queue_by_name(name, work_pool_name=POOL)
    except ObjectNotFound:
        await client.create_work_queue(name, work_pool_name=POOL, concurrency_limit=limit)
    else:
        await client.update_work_queue(queue.id, concurrency_limit=limit)


def _put_automations(notify: str | None) -> None:
    """All automations, without the alerts if their block is not there (yet): a new server has no block."""
    try:
        names = asyncio.run(registration.put(notify))
    except registration.NoBlock as error:
        names = asyncio.run(registration.put(None))
        sys.stderr.write(f"{error} Then run this again.\n")
    sys.stdout.write(f"{len(names)} automations are on the server\n")
    if not registration.any_alert(names):
        sys.stdout.write(registration.NOBODY)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns an exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.fetchers is not None:
            apply_fetchers(chosen.fetchers, wait=chosen.wait)
        else:
            apply(instance_of(chosen.name, chosen.topic, chosen.archive), wait=chosen.wait)
            _put_automations(chosen.notify)
    except SeogoError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m flows.deployed.apply", description=__doc__)
    parser.add_argument("--notify", default=os.environ.get("SEOGO_NOTIFY"), metavar="TYPE-SLUG/NAME")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="for the server; default: 0")
    parser.add_argument(
        "--fetchers", nargs="*", metavar="MACHINE", help="only those for many fetchers, with a pool for each machine"
    )
    parser.add_argument("--name", help="of a further topic and archive, in small letters")
    parser.add_argument("--topic", type=Path, metavar="FILE", help="the topic file, with --name")
    parser.add_argument("--archive", type=Path, metavar="DIR", help="the archive, with --name")
    return parser


if __name__ == "__main__":
    sys.exit(main())
