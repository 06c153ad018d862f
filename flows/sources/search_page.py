"""Naver's search page: hits of a range of days, newest first, ten to a page, at most 1,000.

Hits bear no exact times. The page is read to its last hit, or to a page with nothing new. Where the window has no hit,
the days before it are searched, back to a hit that shows that the search still works.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flows.naver import urls
from flows.naver.search.page import LAYOUT, parse_search_page
from flows.sources.reading import PASSES, UNSTEADY, OrderCheck, Reading, ReadingEnded
from flows.sources.window import days_text
from schemas.receipt import SourceEnd, SourceReport

SEARCH_PAGE_STEP = 10
SEARCH_PAGE_CAP = 1000


async def read_search_page(reading: Reading, query: str) -> SourceReport:
    """Read the hits of a query in the window, or else in the days before it. Raises ReadingEnded."""
    window = reading.window
    before = [day for day in window.days_before if not window.is_before_begin(day)]
    for days in (window.days, before, window.days_before[len(before) :]):
        if days and not reading.progress.items:
            await _read_days(reading, query, days)
    return _end(reading)


async def _read_days(reading: Reading, query: str, days: Sequence[date]) -> None:
    """Read the hits of some days, again if they moved between pages."""
    for _ in range(PASSES):
        order = OrderCheck()
        await _read_hits(reading, query, days, order)
        if order.kept:
            return
    raise ReadingEnded(reading.progress.report(SourceEnd.CAP, UNSTEADY, reading.window.now))


async def _read_hits(reading: Reading, query: str, days: Sequence[date], order: OrderCheck) -> None:
    """Read all hits of some days. Raises ReadingEnded at a page with nothing new, and at the cap."""
    progress, now = reading.progress, reading.window.now
    before: tuple[frozenset[str], ...] = ()
    for start in range(1, SEARCH_PAGE_CAP + 1, SEARCH_PAGE_STEP):
        url = urls.search_page_url(query, first=days[-1], last=days[0], start=start)
        page, answer = await reading.get(url, parse_search_page)
        ids = frozenset(ref.key.id for ref in answer.refs)
        # The same page twice may be due to new hits that pushed the others on; three times, it is the last page.
        if answer.no_results or (ids and before == (ids, ids)):
            return
        order.add([ref.key.id for ref in answer.refs])
        progress.add(answer.refs, not_hosted=answer.not_hosted)
        if ids and reading.window.is_before_begin(days[0]):
            return
        nothing_new = bool(ids) and await reading.has_nothing_new(ids)
        await reading.hand_over(answer.refs, page, LAYOUT)
        if nothing_new:
            raise ReadingEnded(progress.report(SourceEnd.OVERLAP, "a page with nothing new", now))
        before = (*before[-1:], ids)
    # How far back the hits reach is unknown, since they bear no exact times.
    raise ReadingEnded(progress.report(SourceEnd.CAP, f"{SEARCH_PAGE_CAP} results shown, more may exist", now))


def _end(reading: Reading) -> SourceReport:
    progress, window = reading.progress, reading.window
    if progress.items == 0 and progress.not_hosted >= SEARCH_PAGE_STEP:
        # Publishers' addresses on every page and none of Naver's own: the page shows those in another form now.
        return progress.report(
            SourceEnd.LAYOUT_CHANGED, f"{progress.not_hosted} hits, none with the address of a Naver article"
        )
    if progress.items == 0:
        days = window.days + window.days_before
        return progress.report(
            SourceEnd.EMPTY, f"the search page has no hit {days_text(days)}", window.watermark_if_empty()
        )
    return progress.report(SourceEnd.END, "the search page has no more hits", window.now)
