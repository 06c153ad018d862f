"""What the reading of a source has given so far, and how it ends: used by `flows.sources.discover` alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from schemas.article import ArticleRef
from schemas.coverage import Span, WindowRead
from schemas.errors import LayoutChanged
from schemas.page import Fault, FetchFault, RawPage
from schemas.receipt import SourceEnd, SourceReport

_READ_THROUGH = frozenset({SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY})


@dataclass(slots=True)
class Tally:
    """What a source has given so far: counts, and the times of the newest and the oldest item; its window; and the
    answer that could not be read, where there was one."""

    source: str
    asked: Span
    pages: int = 0
    items: int = 0
    not_hosted: int = 0
    newest: datetime | None = None
    oldest: datetime | None = None
    unread: RawPage | None = None

    def add(self, refs: Sequence[ArticleRef], *, items: int | None = None, not_hosted: int = 0) -> None:
        """Count a page; `items` where it named more than its finds."""
        self.pages += 1
        self.items += len(refs) if items is None else items
        self.not_hosted += not_hosted

    def seen(self, newest: datetime | None, oldest: datetime | None) -> None:
        """Take in the times of a page's newest and oldest item."""
        if newest and (self.newest is None or newest > self.newest):
            self.newest = newest
        if oldest and (self.oldest is None or oldest < self.oldest):
            self.oldest = oldest

    def report(
        self,
        end: SourceEnd,
        reason: str,
        watermark: datetime | None = None,
        *,
        unread: Sequence[Span] | None = None,
    ) -> SourceReport:
        """The account of the reading. `watermark`: how far the source counts as read, None where its cursor stays.

        `unread`: what of the window was not seen. Unless told, all of it where the reading did not come to an end.
        """
        if unread is None:
            unread = () if end in _READ_THROUGH else (self.asked,)
        inside = [Span(max(part.since, self.asked.since), min(part.until, self.asked.until)) for part in unread]
        left = tuple(part for part in inside if part.since < part.until)
        window = WindowRead(self.source, self.asked.since, self.asked.until, left, reason if left else "")
        return SourceReport(self.source, end, reason, self.pages, self.items, self.not_hosted, watermark, window)

    def faulted(self, fault: FetchFault) -> SourceReport:
        """The account of a reading that ended because a page could not be fetched."""
        match fault.fault:
            case Fault.FORBIDDEN:
                return self.report(SourceEnd.FORBIDDEN, fault.detail)
            case Fault.BLOCKED | Fault.BACKING_OFF:
                return self.report(SourceEnd.BLOCKED, fault.detail)
            case Fault.STOPPED:
                return self.report(SourceEnd.INTERRUPTED, fault.detail)
            case _:
                return self.report(SourceEnd.FAILED, f"{fault.fault}: {fault.detail}")

    def refused(self, page: RawPage) -> SourceReport:
        """The account of one that ended with a status that is no answer."""
        end = SourceEnd.BLOCKED if page.status in (401, 403, 429) else SourceEnd.FAILED
        return self.report(end, f"{page.final_url} answered with status {page.status}")

    def changed(self, error: LayoutChanged) -> SourceReport:
        """The account of one that ended at a page of an unknown form."""
        return self.report(SourceEnd.LAYOUT_CHANGED, str(error))


Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)


class Stillness:
    """Whether the items of a source keep their order while its pages are read.

    Newer items may push the last ones of a page on to the next. Anything else that is shown twice has changed its
    place, and then something else was not shown at all.
    """

    def __init__(self) -> None:
        self.kept = True
        self._shown: set[str] = set()
        self._before: list[str] = []

    def page(self, ids: Sequence[str]) -> None:
        """Take in the next page."""
        again = [id_ for id_ in ids if id_ in self._shown]
        pushed_on = self._before[len(self._before) - len(again) :]
        if again != list(ids[: len(again)]) or again != pushed_on:
            self.kept = False
        self._shown.update(ids)
        self._before = list(ids)


class _Parse(Protocol[Answer_co]):
    """How every parser of a source's answer is called."""

    def __call__(self, content: bytes, *, source: str, seen_at: datetime, url: str) -> Answer_co: ...


async def ask(
    tally: Tally,
    fetching: Awaitable[RawPage | FetchFault],
    parse: _Parse[Answer],
    refused: Callable[[Tally, RawPage], SourceReport] | None = None,
) -> tuple[RawPage, Answer] | SourceReport:
    """One page of a source, parsed; or the report that ends the reading."""
    page = await fetching
    if isinstance(page, FetchFault):
        return tally.faulted(page)
    if page.status != 200:
        return (refused or Tally.refused)(tally, page)
    try:
        return page, parse(page.content, source=tally.source, seen_at=page.fetched_at, url=page.final_url)
    except LayoutChanged as error:
        tally.unread = page
        return tally.changed(error)
