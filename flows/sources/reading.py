"""What all readers share: one reading of one source in one window, page by page.

Reading           what a reader works with: it fetches and parses pages, and hands finds over
ReadingEnded      ends a reading from any depth, with its report; `readers.py` catches it
ReadingProgress   what the reading has given so far; makes the report
OrderCheck        whether items moved between pages while they were being read
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from flows.sources.window import FirstFound, Window
from schemas.article import ArticleRef
from schemas.coverage import Span, WindowRead
from schemas.errors import LayoutChanged
from schemas.page import Fault, FetchFault, RawPage
from schemas.receipt import SourceEnd, SourceReport

PASSES = 3
"""How often a list or a search is read at most, if its items keep moving between pages."""

UNSTEADY = "items moved between pages while it was read: some were shown twice, so others may have been missed"

_READ_THROUGH = frozenset({SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY})

Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)


class Fetch(Protocol):
    """How a page is fetched (the client's `fetch`)."""

    def __call__(
        self,
        url: str,
        *,
        why: str,
        secret_headers: Mapping[str, str] | None = None,
        final: Callable[[RawPage], bool] | None = None,
    ) -> Awaitable[RawPage | FetchFault]: ...


class Parse(Protocol[Answer_co]):
    """How an answer of a source is parsed. Raises LayoutChanged."""

    def __call__(self, content: bytes, *, source: str, seen_at: datetime, url: str) -> Answer_co: ...


@dataclass(frozen=True, slots=True)
class Discovered:
    """The finds of one page, and the answer that they were read from. `unparsed`: the answer could not be parsed.

    `layout` is that of a search page or a list; None for an answer of the Search API.
    """

    refs: tuple[ArticleRef, ...]
    page: RawPage
    unparsed: bool = False
    layout: str | None = None


TakeUp = Callable[[Discovered], Awaitable[None]]
"""Receives the finds of each page as soon as it has been read."""

CheckHits = Callable[[Discovered], str]
"""Why the finds of a page were probably read wrongly; empty where they look right."""


class ReadingEnded(Exception):
    """A reading has ended; `report` says why, and how far it got. Never leaves this room."""

    def __init__(self, report: SourceReport) -> None:
        super().__init__(report.reason)
        self.report = report


@dataclass(slots=True)
class ReadingProgress:
    """What a reading has given so far: pages, items, those not hosted by Naver; times of the newest and oldest item."""

    source: str
    span: Span
    pages: int = 0
    items: int = 0
    not_hosted: int = 0
    newest: datetime | None = None
    oldest: datetime | None = None

    def add(self, refs: Sequence[ArticleRef], *, items: int | None = None, not_hosted: int = 0) -> None:
        """Count a page. `items`: how many it named, if that is more than its finds."""
        self.pages += 1
        self.items += len(refs) if items is None else items
        self.not_hosted += not_hosted

    def add_times(self, newest: datetime | None, oldest: datetime | None) -> None:
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
        """The report of the reading. `watermark`: how far the source counts as read; None leaves its cursor in place.

        `unread`: the parts of the window that were not seen. By default the whole window, unless it was read through.
        """
        if unread is None:
            unread = () if end in _READ_THROUGH else (self.span,)
        inside = [Span(max(part.since, self.span.since), min(part.until, self.span.until)) for part in unread]
        left = tuple(part for part in inside if part.since < part.until)
        window = WindowRead(self.source, self.span.since, self.span.until, left, reason if left else "")
        return SourceReport(self.source, end, reason, self.pages, self.items, self.not_hosted, watermark, window)

    def faulted(self, fault: FetchFault) -> SourceReport:
        """The report of a reading that ended because a page could not be fetched."""
        match fault.fault:
            case Fault.FORBIDDEN:
                return self.report(SourceEnd.FORBIDDEN, fault.detail)
            case Fault.BLOCKED | Fault.BACKING_OFF:
                return self.report(SourceEnd.BLOCKED, fault.detail)
            case Fault.STOPPED | Fault.OFFLINE:
                return self.report(SourceEnd.INTERRUPTED, fault.detail)
            case _:
                return self.report(SourceEnd.FAILED, f"{fault.fault}: {fault.detail}")

    def refused(self, page: RawPage) -> SourceReport:
        """The report of a reading that ended with an HTTP status other than 200."""
        end = SourceEnd.BLOCKED if page.status in (401, 403, 429) else SourceEnd.FAILED
        return self.report(end, f"{page.final_url} answered with status {page.status}")


@dataclass(slots=True)
class Reading:
    """One source, being read in one window. `take_up` receives the finds of a page unless `check_hits` doubts them."""

    source: str
    window: Window
    fetch: Fetch
    first_found: FirstFound
    take_up: TakeUp
    check_hits: CheckHits
    progress: ReadingProgress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = ReadingProgress(self.source, self.window.span)

    async def get(
        self,
        url: str,
        parse: Parse[Answer],
        *,
        secret_headers: Mapping[str, str] | None = None,
        final: Callable[[RawPage], bool] | None = None,
        refused: Callable[[ReadingProgress, RawPage], SourceReport] = ReadingProgress.refused,
    ) -> tuple[RawPage, Answer]:
        """Fetch and parse one page. Raises ReadingEnded where that fails; `refused` reports a status other than 200."""
        page = await self.fetch(url, why=self.source, secret_headers=secret_headers, final=final)
        if isinstance(page, FetchFault):
            raise ReadingEnded(self.progress.faulted(page))
        if page.status != 200:
            raise ReadingEnded(refused(self.progress, page))
        try:
            return page, parse(page.content, source=self.source, seen_at=page.fetched_at, url=page.final_url)
        except LayoutChanged as error:
            await self.take_up(Discovered((), page, unparsed=True))
            raise ReadingEnded(self.progress.report(SourceEnd.LAYOUT_CHANGED, str(error))) from error

    async def hand_over(self, refs: tuple[ArticleRef, ...], page: RawPage, layout: str | None = None) -> None:
        """Hand over the finds of a page. Raises ReadingEnded where they look wrong; then none of them is taken up."""
        found = Discovered(refs, page, layout=layout)
        if why := self.check_hits(found):
            await self.take_up(Discovered((), page, unparsed=True))
            raise ReadingEnded(self.progress.report(SourceEnd.LAYOUT_CHANGED, why))
        await self.take_up(found)

    async def has_nothing_new(self, ids: frozenset[str]) -> bool:
        """Whether a page has only articles that were found before the source was last read to its end.

        An article found by a run that did not get to the end of the source (because it was stopped or killed) does
        not count: the articles after it may never have been seen.
        """
        before = self.window.read_before
        if before is None:
            return False
        found = await self.first_found(sorted(ids))
        return all(id_ in found and found[id_] <= before for id_ in ids)


class OrderCheck:
    """Whether the items of a source keep their order while its pages are read.

    New items may push the last items of a page on to the next page. Any other item that is shown twice has moved, and
    then another item was not shown at all.
    """

    def __init__(self) -> None:
        self.kept = True
        self._shown: set[str] = set()
        self._before: list[str] = []

    def add(self, ids: Sequence[str]) -> None:
        """Take in the ids of the next page."""
        again = [id_ for id_ in ids if id_ in self._shown]
        pushed_on = self._before[len(self._before) - len(again) :]
        if again != list(ids[: len(again)]) or again != pushed_on:
            self.kept = False
        self._shown.update(ids)
        self._before = list(ids)
