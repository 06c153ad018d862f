"""How each run begins and ends: the archive is opened, the run recorded, its receipt committed whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from flows.pipeline.relevance import rules_version
from flows.runs.search_index import update_search_index
from flows.sources.window import minute
from schemas.coverage import Gap, WindowRead, grouped
from schemas.page import RequestRecord
from schemas.receipt import ExitReason, Receipt, run_id_at
from schemas.topic import Topic
from storage.archive import Archive, open_archive

_GAPS_NAMED = 20

OnProgress = Callable[[Receipt], None]
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Order:
    """What each run is ordered with. `wait`: seconds to wait for another process that writes to the archive."""

    topic: Topic
    archive: Path
    wait: float = field(default=0.0, kw_only=True)


class ExitReasonOf(Protocol):
    """Why a run ended, and an explanation in a sentence. `broken`: an error ended it."""

    def __call__(self, receipt: Receipt, *, interrupted: bool, broken: bool) -> tuple[ExitReason, str]: ...


def utc_now() -> datetime:
    """The time, unless a test sets another."""
    return datetime.now(UTC)


def ignore_progress(receipt: Receipt) -> None:
    """An OnProgress that does nothing."""


@contextmanager
def open_for_run(order: Order, command: str, began: datetime) -> Iterator[tuple[Archive, Receipt]]:
    """The archive, opened for a run that has not been recorded yet, and the run's receipt. Raises ArchiveError."""
    receipt = Receipt(run_id_at(began), command, order.topic.name, began)
    receipt.topic_version, receipt.topic_threshold = rules_version(order.topic), order.topic.relevance.threshold
    with open_archive(order.archive, style=order.topic.archive.front_matter, wait=order.wait) as archive:
        receipt.notes += archive.notes
        yield archive, receipt
        closing = time.monotonic()
    closed = time.monotonic()
    receipt.spend("snapshot", closed - closing)
    if receipt.finished_at is not None:  # not after a dry run
        receipt.notes += update_search_index(order.archive, partial(receipt.advance, "search index"))
        receipt.spend("search index", time.monotonic() - closed)


@dataclass(slots=True)
class Run:
    """One run while it lasts. Its work sets `watermarks` and `coverage` last, and `interrupted` if it stopped early.

    `unread`: windows with unread parts that are in the ledger already.
    """

    archive: Archive
    receipt: Receipt
    on_progress: OnProgress = ignore_progress
    now: Now = utc_now
    interrupted: bool = field(default=False, init=False)
    watermarks: dict[str, datetime] = field(default_factory=dict, init=False)
    coverage: list[WindowRead] = field(default_factory=list, init=False)
    unread: list[WindowRead] = field(default_factory=list, init=False)
    requests: list[RequestRecord] = field(default_factory=list, init=False)

    @contextmanager
    def recorded(self, exit_reason: ExitReasonOf) -> Iterator[None]:
        """Record the run in the archive: its start now, and its receipt at the end, also after an error."""
        self.archive.start_run(self.receipt)
        broken = True
        try:
            yield
            broken = False
        finally:
            self._finish(exit_reason, broken=broken)

    def _finish(self, exit_reason: ExitReasonOf, *, broken: bool) -> None:
        receipt = self.receipt
        receipt.finished_at = self.now()
        if broken:
            # Some finds may not have been stored, so no window counts as read.
            self.watermarks, self.coverage = {}, []
        receipt.gaps = _gap_texts([*self.unread, *self.coverage])[:_GAPS_NAMED]
        receipt.exit_reason, receipt.explanation = exit_reason(receipt, interrupted=self.interrupted, broken=broken)
        self.archive.finish_run(receipt, self.watermarks, self.requests, self.coverage)


def _gap_texts(reads: Sequence[WindowRead]) -> list[str]:
    """The parts of windows that were not read, in words."""
    gaps = [Gap(read.source, part.since, part.until, read.reason) for read in reads for part in read.unread]
    return [
        f"{gap.source}: {minute(gap.since)} to {minute(gap.until)} was not read: {gap.reason}" for gap in grouped(gaps)
    ]
