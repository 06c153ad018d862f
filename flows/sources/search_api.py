"""Naver's Search API: newest first, by minute of publication, at most 1,000 results.

It is read until an item is older than the window. The results overlap with the last reading by the topic's lag, so that
articles of the same minute, and those that the API shows late, are not missed.
"""

from __future__ import annotations

from datetime import timedelta

from flows.naver import urls
from flows.naver.search.api import SearchAnswer, parse_api_error, parse_search_answer
from flows.sources.api_keys import KEY_VARIABLES, ApiKey, Endpoint
from flows.sources.reading import UNSTEADY, OrderCheck, Reading, ReadingProgress
from flows.sources.window import Window, minute
from schemas.article import ArticleRef
from schemas.coverage import Span
from schemas.page import KEY_REFUSED, NO_KEY, RawPage
from schemas.receipt import SourceEnd, SourceReport

API_PAGE = 100
API_CAP = 1000

_ERROR_ENDS = {"bad_key": SourceEnd.NO_KEY, "rate": SourceEnd.BLOCKED, "quota": SourceEnd.BLOCKED}


async def read_search_api(reading: Reading, query: str, *, endpoint: Endpoint, key: ApiKey | None) -> SourceReport:
    """Read the results of a query, newest first, until an item is older than the window. Raises ReadingEnded."""
    progress, window = reading.progress, reading.window
    if key is None:
        variables = " and ".join(KEY_VARIABLES[endpoint])
        return progress.report(SourceEnd.NO_KEY, f"{NO_KEY}set both {variables}")
    headers, order = key.headers(endpoint), OrderCheck()
    for start in range(1, API_CAP + 1, API_PAGE):
        url = urls.search_api_url(endpoint, query, start=start, display=API_PAGE)
        page, answer = await reading.get(
            url, parse_search_answer, secret_headers=headers, final=_quota_is_used_up, refused=_refused
        )
        progress.add(answer.refs, items=answer.items, not_hosted=answer.not_hosted)
        progress.add_times(answer.newest, answer.oldest if answer.in_order else answer.newest)
        order.add([ref.key.id for ref in answer.refs])
        await reading.hand_over(tuple(ref for ref in answer.refs if _is_inside(ref, window)), page)
        if end := _end(progress, answer, window, start):
            return end if order.kept else progress.report(SourceEnd.CAP, UNSTEADY, end.watermark)
    newest = progress.newest and min(progress.newest, window.now)
    return progress.report(SourceEnd.CAP, _gap(progress, window), newest, unread=_beyond_the_cap(progress, window))


def _end(progress: ReadingProgress, answer: SearchAnswer, window: Window, start: int) -> SourceReport | None:
    """The report of the reading if it ends with the page at `start`."""
    newest = min(progress.newest, window.now) if progress.newest else None  # an article's date in the future is wrong
    watermark = max(filter(None, (newest, window.read_before)), default=None)
    reached = answer.oldest if answer.in_order else answer.newest  # out of order, an old item does not mark the end
    if start == 1 and answer.newest and not (window.read_before and answer.newest >= window.read_before):
        # Nothing shows that this is the newest page: it may have been swapped with the second.
        reached = None
    if reached is not None and reached < window.since:
        return progress.report(SourceEnd.OVERLAP, f"read back to {minute(window.since)}", watermark)
    if progress.items == 0:
        return progress.report(SourceEnd.EMPTY, "the Search API has no article for this query", watermark)
    if answer.items == 0 and start <= min(answer.total, API_CAP):
        shown = f"an empty page at result {start} of {answer.total}"
        return progress.report(SourceEnd.CAP, shown, watermark, unread=_beyond_the_cap(progress, window))
    if answer.items == 0 or start + API_PAGE > answer.total:
        return progress.report(SourceEnd.END, f"all {answer.total} results read", watermark)
    return None


def _gap(progress: ReadingProgress, window: Window) -> str:
    oldest = minute(progress.oldest) if progress.oldest else "?"
    return f"{API_CAP} results shown, more exist: nothing between {minute(window.since)} and {oldest} was seen"


def _beyond_the_cap(progress: ReadingProgress, window: Window) -> tuple[Span, ...]:
    """The part of the window before the last item shown. There may be more items of that item's own minute."""
    reached = progress.oldest + timedelta(minutes=1) if progress.oldest else window.span.until
    return (Span(window.since, min(reached, window.span.until)),)


def _refused(progress: ReadingProgress, page: RawPage) -> SourceReport:
    error = parse_api_error(page.content, page.status)
    if error is None:
        return progress.refused(page)
    end = _ERROR_ENDS.get(error.kind, SourceEnd.FAILED)
    said = KEY_REFUSED if end is SourceEnd.NO_KEY else "the Search API says "
    return progress.report(end, f"{said}{error.code}: {error.message}")


def _quota_is_used_up(page: RawPage) -> bool:
    """Whether an answer says that the day's quota is used up, so that waiting does not help."""
    error = parse_api_error(page.content, page.status) if page.status == 429 else None
    return error is not None and error.kind == "quota"


def _is_inside(ref: ArticleRef, window: Window) -> bool:
    """Whether an article was published within the window, as far as its date is known. Dates have minutes only."""
    if ref.published_at is None:
        return True
    before_end = window.until is None or ref.published_at < window.until
    return before_end and ref.published_at >= window.since.replace(second=0, microsecond=0)
