"""The progress of a run, on standard error: live in a terminal, elsewhere a plain line at growing intervals."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flows.cli.show.meter import Meter
from schemas.receipt import Receipt

FIRST_LINE_AFTER = 5.0
LINES_AT_MOST_EVERY = 60.0
"""Seconds. The pause between two plain lines doubles from the first to the second, so that long logs stay short."""

_TELLS_RICH = {"FORCE_COLOR", "TTY_COMPATIBLE"}
"""Environment variables by which a user tells Rich whether there is a terminal."""


@contextmanager
def progress(what: str) -> Iterator[Callable[[Receipt], None]]:
    """Show the progress of a run inside the block. Call what it yields with the run's receipt after each batch.

    Between two calls, which can be minutes apart, the display keeps reading the same receipt.
    """
    meter = Meter(what)
    if to_terminal():
        from flows.cli.show.live import shown_live

        with shown_live(what, meter):
            yield meter.report
    else:
        with at_growing_intervals(lambda: print(meter.line(), file=sys.stderr, flush=True)):  # noqa: T201
            yield meter.report


def to_terminal() -> bool:
    """Whether standard error is a terminal, as Rich sees it, which is imported only if it may be one."""
    if not (sys.stderr and sys.stderr.isatty()) and not os.environ.keys() & _TELLS_RICH:
        return False
    from flows.cli.show.terminal import err

    return err.is_terminal


@contextmanager
def at_growing_intervals(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` from another thread inside the block, at growing intervals."""
    over = threading.Event()

    def work() -> None:
        pause = FIRST_LINE_AFTER
        while not over.wait(pause):
            act()
            pause = min(2 * pause, LINES_AT_MOST_EVERY)

    thread = threading.Thread(target=work, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
