"""Ctrl-C and SIGTERM for long work: the first asks it to end in order, the second ends the process at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from flows.cli.exit_codes import Exit

_SHOW_CURSOR = b"\n\x1b[?25h"
_LAST_WORDS = b"seogo: stopped at once; the next run goes on from what was committed\n"


@contextmanager
def on_interrupt(ask: Callable[[], object]) -> Iterator[None]:
    """Inside the block, the first SIGINT or SIGTERM calls `ask`. To be entered in the main thread.

    `ask` may come at any moment, between any two lines of the main thread: it should only leave a mark.
    """
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            _end_at_once()
        asked = True
        ask()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_at_once() -> None:
    """What a kill leaves behind the next start mends; only the terminal's cursor nobody would bring back."""
    with suppress(OSError):  # nobody may be listening any more: no reason to stay
        os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + _LAST_WORDS)
    os._exit(Exit.INTERRUPTED)
