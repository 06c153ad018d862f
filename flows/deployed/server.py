"""Waits until Prefect's server answers, which takes up to half a minute after its start.

    python -m flows.deployed.server [--within 120]

Exit code 0 once it answers at PREFECT_API_URL (default: port 4200 of this machine), 1 if it does not in time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from flows.runs.doctor.prefect import is_ready
from schemas.errors import SeogoError

USUAL = "http://127.0.0.1:4200/api"
READY_WITHIN = 120.0
AWAY_FOR = 900.0
"""Seconds for which a run waits for a server that does not answer."""
_ASKED_EVERY = 2.0


class NoServer(SeogoError):
    """Prefect's server does not answer."""


def wait_for_server(api: str, *, within: float = READY_WITHIN, lives: Callable[[], bool] = lambda: True) -> None:
    """Return once the server answers. Raises NoServer after `within` seconds, or once it no longer `lives`."""
    deadline = time.monotonic() + within
    while not is_ready(api):
        if not lives() or time.monotonic() > deadline:
            raise NoServer(f"Prefect's server does not answer at {api}: look at its log, or correct PREFECT_API_URL.")
        time.sleep(0.2)


async def until_it_answers(api: str, *, within: float = AWAY_FOR) -> None:
    """Return once the server answers, or after `within` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            while not await asyncio.to_thread(is_ready, api):  # noqa: ASYNC110 - the server sends no event
                await asyncio.sleep(_ASKED_EVERY)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.deployed.server", description=__doc__)
    parser.add_argument("--within", type=float, default=READY_WITHIN, metavar="SECONDS", help="default: %(default)s")
    try:
        wait_for_server(os.environ.get("PREFECT_API_URL") or USUAL, within=parser.parse_args(arguments).within)
    except NoServer as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
