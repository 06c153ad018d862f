"""The progress of reading all captures, on standard error: a bar in a terminal, elsewhere lines now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from flows.cli.show.progress import at_growing_intervals
from flows.cli.show.terminal import err
from flows.reports.text import size
from storage.integrity.journals.read import OnProgress, Progress


@contextmanager
def reading(what: str) -> Iterator[OnProgress]:
    """Show the progress of a command inside the block. Call what it yields after each file."""
    meter = ReadingMeter(what)
    if err.is_terminal:
        columns = (TextColumn("[bold]{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"))
        with Bar(*columns, console=err, transient=True) as bar:
            task = bar.add_task(what, done="starting")

            def show(progress: Progress) -> None:
                meter.report(progress)
                bar.update(task, total=progress.of_bytes, completed=progress.bytes, done=meter.state())

            yield show
    else:
        with at_growing_intervals(lambda: print(meter.line(), file=sys.stderr, flush=True)):  # noqa: T201
            yield meter.report


class ReadingMeter:
    """How much of the captures has been read, in words: files, bytes, and the time left."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._began = clock()
        self._progress: Progress | None = None

    def report(self, progress: Progress) -> None:
        """Update."""
        if self._progress is not None and progress.bytes < self._progress.bytes:
            self._began = self._clock()  # the captures are read once more
        self._progress = progress

    def line(self) -> str:
        """The progress on one plain line."""
        return f"{self._what}: {self.state()}"

    def state(self) -> str:
        """`12 of 40 files, 180 MB of 620 MB, about 0:00:09 left`."""
        if (found := self._progress) is None:
            return "starting"
        read = f"{found.files:,} of {found.of_files:,} files, {size(found.bytes)} of {size(found.of_bytes)}"
        if found.files == found.of_files:
            return f"{read}; comparing"
        passed = self._clock() - self._began
        left = passed * (found.of_bytes - found.bytes) / max(found.bytes, 1)
        return f"{read}, about {timedelta(seconds=round(left))} left" if passed else read
