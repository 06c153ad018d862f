"""A run that is cancelled logs one line: ours. Prefect calls each task in it crashed, and prints a traceback."""

from __future__ import annotations

import logging

_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "asyncio")
_OF_A_CANCELLATION = (
    "Crash detected! Execution was cancelled by the runtime environment",
    "Finished in state Crashed('Execution was cancelled by the runtime environment",
    "Finished in state Running()",
    "Flow run was cancelled.",
    "unhandled exception during asyncio.run() shutdown",
)
"""What Prefect 3.8 and asyncio log then. Everything else is logged as ever."""


def leave_out_noise() -> None:
    """From now on, leave out what is logged about a cancellation only because it is one."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_OF_A_CANCELLATION)
