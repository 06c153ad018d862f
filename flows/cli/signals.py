"""Ctrl-C and SIGTERM: the first asks a run to stop in order, the second ends the process immediately."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from flows.cli.exit_codes import Exit

_SHOW_CURSOR = b"\n\x1b[?25h"
_MESSAGE = b"seogo: stopped immediately; the next run resumes from what was committed\n"


@contextmanager
def on_interrupt(ask: Callable[[], object]) -> Iterator[None]:
    """Inside the block, the first SIGINT or SIGTERM calls `ask`. Must be entered in the main thread.

    `ask` is called between any two instructions of the main thread: it should only set a flag.
    """
    interrupted = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            _exit_now()
        interrupted = True
        ask()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_now() -> None:
    """The next run recovers the archive; only the terminal's cursor has to be restored here."""
    with suppress(OSError):  # standard error may be closed
        os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + _MESSAGE)
    os._exit(Exit.INTERRUPTED)
