"""Starts Prefect's worker of the pool, once the server answers. First it ends the runs that an earlier worker left.

    python -m flows.deployed.worker [--name NAME]

All options are those of `prefect worker start`. `--pool` is `seogo` unless it is given.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
from collections.abc import Sequence

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.deployed.apply import POOL
from flows.deployed.flow_runs.housekeeping import end_dead_runs
from flows.deployed.server import USUAL, wait_for_server
from schemas.errors import SeogoError

RETRIES = 5
"""Of a request, with pauses of 2, 4, 8, 16 and 32 seconds. Then the worker starts again, for a quarter of an hour.

With the eight of a run (prefect.toml), the last pause would be four minutes: for so long it would take no run from a
server that is back. prefect.yaml gives its runs eight.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns an exit code."""
    options = sys.argv[1:] if arguments is None else arguments
    try:
        wait_for_server(PREFECT_API_URL.value() or USUAL)
    except SeogoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name in asyncio.run(_ended()):
        sys.stdout.write(f"ended: {name}: its process is gone\n")
    sys.stdout.flush()
    # In this process, which is the one that systemd signals.
    pool = () if "--pool" in options else ("--pool", POOL)  # a machine that only fetches gives another
    sys.argv = ["prefect", "worker", "start", *pool, "--type", "process", *options]
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: RETRIES}):
        runpy.run_module("prefect", run_name="__main__", alter_sys=True)
    return 0


async def _ended() -> list[str]:
    async with get_client() as client:
        return [run.name for run in await end_dead_runs(client)]


if __name__ == "__main__":
    sys.exit(main())
