"""Pauses the work pool, and waits until no run of it is active: before an upgrade, or before the worker is stopped.

    python -m flows.deployed.drain [--within 3600]

Afterwards: prefect work-pool resume seogo. Exit code 0 once no run is active; 1 if one still is:
the pool stays paused then.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType

from flows.deployed.apply import POOL

_EVERY = 2.0
_ACTIVE = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


async def drain(within: float) -> list[str]:
    """Pause the pool, and wait; returns the names of the runs that are still active after `within` seconds."""
    deadline = time.monotonic() + within
    async with get_client() as client:
        await client.update_work_pool(POOL, WorkPoolUpdate(is_paused=True))
        while True:
            active = await _active(client)
            if not active or time.monotonic() > deadline:
                return active
            await asyncio.sleep(_EVERY)


async def _active(client: PrefectClient) -> list[str]:
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=_ACTIVE))
    runs = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=state),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL])),
    )
    return [run.name for run in runs]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.deployed.drain", description=__doc__)
    parser.add_argument("--within", type=float, default=3600.0, metavar="SECONDS", help="default: %(default)s")
    active = asyncio.run(drain(parser.parse_args(arguments).within))
    if active:
        sys.stderr.write(f"still active: {', '.join(active)}. The pool is paused: prefect work-pool resume {POOL}\n")
        return 1
    sys.stdout.write(f"the pool {POOL} is paused, and no run is active\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
