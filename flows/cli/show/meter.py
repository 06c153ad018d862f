"""The progress of a run in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from flows.reports.text import counts, size
from schemas.article import Outcome
from schemas.counted import counted
from schemas.receipt import Receipt


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
        sources = f"{counted(len(receipt.sources), 'source')} read, " if receipt.sources else ""
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
        requests = f"{counted(receipt.requests, 'request')}, {size(receipt.bytes)}, " if receipt.requests else ""
        return f"{requests}{self._elapsed()}"

    def _elapsed(self) -> str:
        return str(timedelta(seconds=int(self._clock() - self._began)))
