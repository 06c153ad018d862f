"""Creates or updates everything of seogo on a Prefect server: pool, queues, deployments, automations.

    python -m flows.deployed.apply [--notify slack-webhook/alerts]

Run it in the checkout that the worker runs, with PREFECT_API_URL set. It may be run again at any time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from prefect.workers.process import ProcessWorker

from flows.deployed import automations
from schemas.errors import BadInput, SeogoError

POOL = "seogo"
QUEUES = {"archive": 1, "reading": None}
"""Queue -> how many of its runs may execute at once. All deployments that write share the queue `archive`."""

DEPLOYMENTS = Path("prefect.yaml")


def apply(notify: str | None) -> list[str]:
    """Create or update everything; returns the names of the automations. Raises BadInput, CalledProcessError."""
    if not PREFECT_API_URL.value():
        raise BadInput("PREFECT_API_URL is not set: set the server's address, such as http://127.0.0.1:4200/api.")
    if not DEPLOYMENTS.is_file():
        raise BadInput(f"{DEPLOYMENTS.resolve()} does not exist: run this in seogo's checkout.")
    asyncio.run(_pool_and_queues())
    words = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(DEPLOYMENTS)]
    subprocess.run(words, check=True)  # noqa: S603 - fixed arguments
    return asyncio.run(automations.put(notify))


async def _pool_and_queues() -> None:
    async with get_client() as client:
        await _pool(client)
        for name, limit in QUEUES.items():
            await _queue(client, name, limit)


async def _pool(client: PrefectClient) -> None:
    try:
        await client.read_work_pool(POOL)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        pool = WorkPoolCreate(name=POOL, type=ProcessWorker.type, base_job_template=template)
        await client.create_work_pool(pool)


async def _queue(client: PrefectClient, name: str, limit: int | None) -> None:
    try:
        queue = await client.read_work_queue_by_name(name, work_pool_name=POOL)
    except ObjectNotFound:
        await client.create_work_queue(name, work_pool_name=POOL, concurrency_limit=limit)
    else:
        await client.update_work_queue(queue.id, concurrency_limit=limit)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.deployed.apply", description=__doc__)
    parser.add_argument("--notify", default=os.environ.get("SEOGO_NOTIFY"), metavar="TYPE-SLUG/NAME")
    try:
        names = apply(parser.parse_args(arguments).notify)
    except SeogoError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{len(names)} automations are on the server\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
