"""The cancellation of a run: noticed by the run itself where the worker does not, and one line in the log.

The worker is told of a cancellation by the server, and ends the run. After an outage of some minutes it no longer
listens for the runs that it has begun: so each run also asks for its own state.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn
from uuid import UUID

import httpx
from prefect import get_run_logger, runtime
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL

from flows.runs.doctor.prefect import is_ready
from schemas.errors import SeogoError

ASKED_EVERY = 60.0
"""Seconds between two questions of a run for its own state."""

_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "asyncio")
_OF_A_CANCELLATION = (
    "Crash detected! Execution was cancelled by the runtime environment",
    "Finished in state Crashed('Execution was cancelled by the runtime environment",
    "Finished in state Cancelled(",
    "Finished in state Running()",
    "Flow run was cancelled.",
    "unhandled exception during asyncio.run() shutdown",
)
"""What Prefect 3.8 and asyncio log then: each task in the run is called crashed, with a traceback."""


class RunCancelled(SeogoError):
    """The server has this run as cancelled."""


async def until_cancelled() -> NoReturn:
    """Raise RunCancelled once the server has this run as cancelled."""
    while True:
        await asyncio.sleep(ASKED_EVERY)
        if await _is_cancelled():
            raise RunCancelled("The run was cancelled. What it had fetched is stored.")


async def _is_cancelled() -> bool:
    """Whether the server says so; False while it cannot be asked."""
    api = PREFECT_API_URL.value()
    # Prefect's client would try again and again, with longer and longer pauses.
    if not api or not await asyncio.to_thread(is_ready, api):
        return False
    try:
        async with get_client() as client:
            state = (await client.read_flow_run(UUID(str(runtime.flow_run.id)))).state
    except (httpx.HTTPError, ObjectNotFound) as error:
        get_run_logger().warning("the state of this run could not be read (%s); the run continues", error)
        return False
    return state is not None and (state.is_cancelling() or state.is_cancelled())


def leave_out_noise() -> None:
    """From now on, leave out what is logged about a cancellation only because it is one."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_OF_A_CANCELLATION)
