"""The lists of press offices and sections: all articles of a day, newest first, on several pages.

A list without articles proves nothing: before dawn a new Korean day is really empty, and a broken list looks the same.
So where all days of the window are empty, the days before it are read, at most SILENCE back, up to one that names an
article and so shows that the list still works. That costs one page, since all articles on it are known. Where none is
found, the report has no items and the cursor stays until the silence has lasted for SILENCE: what a broken list hides
for some days is found once it works again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from flows.naver.listing import LIST_LAYOUT, parse_list_page
from flows.sources.reading import PASSES, UNSTEADY, OrderCheck, Reading, ReadingEnded
from flows.sources.window import day_span, days_text
from schemas.receipt import SourceEnd, SourceReport

LIST_PAGE_CAP = 300
"""Pages of a day's list after which something must be wrong: the longest known day has about 150."""

ListUrl = Callable[[date, int], str]
"""The address of a page of a day's list."""


async def read_day_lists(reading: Reading, url_of: ListUrl) -> SourceReport:
    """Read the lists of the window's days, newest first; if all are empty, those before. Raises ReadingEnded."""
    window = reading.window
    capped: dict[date, str] = {}
    read: list[date] = []
    for day in window.days + window.days_before:
        if reading.progress.items and day not in window.days:
            break
        if why := await _read_day(reading, day, url_of):
            capped[day] = why
        read.append(day)
    return _end(reading, read, capped)


def _end(reading: Reading, read: Sequence[date], capped: Mapping[date, str]) -> SourceReport:
    progress, window = reading.progress, reading.window
    if capped:
        reason = "; ".join(f"{day}: {why}" for day, why in capped.items())
        return progress.report(SourceEnd.CAP, reason, window.now, unread=[day_span(day) for day in capped])
    if progress.items == 0:
        # A list that is really empty looks the same as one that is broken.
        watermark = window.watermark_if_empty()
        unread = () if watermark else (window.span,)
        return progress.report(SourceEnd.EMPTY, f"the list is empty {days_text(read)}", watermark, unread=unread)
    if len(read) > len(window.days):
        reason = f"the list is empty {days_text(read[:-1])}, but still shows articles {days_text(read[-1:])}"
        return progress.report(SourceEnd.EMPTY, reason, window.now)
    return progress.report(SourceEnd.OVERLAP, f"{len(read)} days read", window.now)


async def _read_day(reading: Reading, day: date, url_of: ListUrl) -> str | None:
    """Read a day's list, again if its items moved between pages. Returns why it was not read to its end, if so."""
    for _ in range(PASSES):
        order = OrderCheck()
        capped = await _read_pages(reading, day, url_of, order)
        if capped or order.kept:
            return capped
    return UNSTEADY


async def _read_pages(reading: Reading, day: date, url_of: ListUrl, order: OrderCheck) -> str | None:
    """Read the pages of a day's list to its end, or to a page with nothing new if it was read to its end before.

    Returns why it was not read to its end, if so.
    """
    before: frozenset[str] = frozenset()
    for number in range(1, LIST_PAGE_CAP + 1):
        page, answer = await reading.get(url_of(day, number), parse_list_page)
        ids = frozenset(ref.key.id for ref in answer.refs)
        if answer.empty and answer.has_next:
            reason = f"{day}: page {number} is empty, but links to later pages"
            raise ReadingEnded(reading.progress.report(SourceEnd.LAYOUT_CHANGED, reason))
        # Past its end a list repeats the last page, which is recognised by its number, or else by its items.
        if answer.empty or (ids == before if answer.page is None else answer.page != number):
            return None
        order.add([ref.key.id for ref in answer.refs])
        reading.progress.add(answer.refs)
        if reading.window.is_before_begin(day):
            return None
        nothing_new = not reading.window.read_in_full(day) and await reading.has_nothing_new(ids)
        await reading.hand_over(answer.refs, page, LIST_LAYOUT)
        if not answer.has_next or nothing_new:
            return None
        before = ids
    return f"{LIST_PAGE_CAP} pages and no end"
