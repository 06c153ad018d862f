"""The progress of a run, on standard error: live in a terminal, elsewhere a plain line at growing intervals."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from flows.reports.text import counts, size
from schemas.article import Outcome
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


class Meter:
    """The progress of a run in words. A batch counts its finds at its end; until then the pages read are counted."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._noun = "files" if what == "import" else "finds"
        self._clock = clock
        self._began = clock()
        self._receipt: Receipt | None = None
        self._finds = 0
        self._pages_before = 0
        self._first: dict[str, tuple[float, int]] = {}

    def report(self, receipt: Receipt) -> None:
        """Update from the receipt."""
        if self._receipt is None or receipt.finds != self._finds:
            self._finds, self._pages_before = receipt.finds, receipt.pages_read
        self._receipt = receipt

    def line(self) -> str:
        """The progress on one plain line."""
        if self._receipt is None:
            return f"{self._what}: starting, {self._elapsed()}"
        parts = [self._state(self._receipt), counts(self._receipt.outcomes), self._traffic(self._receipt)]
        return f"{self._what}: {'; '.join(part for part in parts if part)}"

    def parts(self) -> tuple[str, Mapping[Outcome, int], str]:
        """The same in three parts: how far it is, the outcomes so far, and what was transferred."""
        if self._receipt is None:
            return f"starting, {self._elapsed()}", {}, ""
        return self._state(self._receipt), self._receipt.outcomes, self._traffic(self._receipt)

    def _state(self, receipt: Receipt) -> str:
        if step := receipt.step:
            number = f": {step.done:,} of {step.total:,}" if step.total else ""
            return f"{step.name}{number}{self._rate(*step)}"
        sources = f"{len(receipt.sources)} sources read, " if receipt.sources else ""
        done, total = self._done(receipt), receipt.discovered
        if total < done:
            return f"{sources}{done:,} {self._noun}"
        return f"{sources}{done:,} of {total:,} {self._noun}{self._rate(self._noun, done, total)}"

    def _done(self, receipt: Receipt) -> int:
        done = receipt.finds + max(0, receipt.pages_read - self._pages_before)
        return min(done, receipt.discovered) if receipt.discovered else done

    def _rate(self, name: str, done: int, total: int) -> str:
        """The rate since the first one; before the first find, only the sources were read."""
        now = self._clock()
        since, before = self._first.setdefault(name, (now, done)) if done else (now, 0)
        if done <= before or now <= since:
            return ""
        rate = (done - before) / (now - since)
        left = (total - done) / rate
        about = f", about {timedelta(seconds=round(left))} left" if left >= 1 else ""
        return f", {rate:.1f} per second{about}"

    def _traffic(self, receipt: Receipt) -> str:
        requests = f"{receipt.requests:,} requests, {size(receipt.bytes)}, " if receipt.requests else ""
        return f"{requests}{self._elapsed()}"

    def _elapsed(self) -> str:
        return str(timedelta(seconds=int(self._clock() - self._began)))


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
