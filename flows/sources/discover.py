"""Sources -> finds: what each source names since it was last read.

    search_api:{query}     newest first, by publication minute, 1,000 results at most
    search_page:{query}    newest first, inside a range of days
    press_list:{oid}       a day's articles of a press office, all of them
    section_list:{sid}     a day's articles of a section, all of them

Each source is read from its watermark minus the topic's lag: windows overlap, so that articles that share the last
minute, and those that a source shows late, are not lost. A source yields pages of finds and ends with one
`SourceReport`, which says why it stopped and how far it has been read; the caller stores the finds first and the
watermark last. Nothing here knows the archive: whether a key is known is asked through `Known`.

Nothing is no news, and no proof either. Before dawn a new Korean day is truly empty, and a list that broke looks just
like it. So a source that is asked by days, and names nothing in its window, is read on into the days before, back to
one that names an article, by which it shows that it still works: one page more, as all on it is known. It looks back a
week at most (`SILENCE`). Where even that is silent, nobody can tell; the report has no items, and no cursor moves until
the silence has lasted a week: what a broken list hides for a day or two is found when it is mended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from flows.naver import listing, search_api, search_page, urls
from flows.sources.reading import Stillness, Tally, ask
from flows.sources.window import Known, Window, day_span
from schemas.article import SEOUL, ArticleRef
from schemas.coverage import Span
from schemas.page import FetchFault, RawPage
from schemas.receipt import SourceEnd, SourceReport

API_PAGE = 100
API_CAP = 1000
SEARCH_PAGE_STEP = 10
SEARCH_PAGE_CAP = 1000
PASSES = 3
"""So often a list or a search is read whose items change their places meanwhile."""
LIST_PAGE_CAP = 300
"""Pages of a day's list after which something is wrong: the longest known day has about 150."""


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


Endpoint = Literal["openapi", "apihub"]

_UNSTEADY = "its items changed their places while it was read: some were shown twice, so others not at all"

KEY_VARIABLES: Mapping[Endpoint, tuple[str, str]] = {
    "apihub": ("NAVER_APIHUB_KEY_ID", "NAVER_APIHUB_KEY"),
    "openapi": ("NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"),
}
"""The environment variables that hold the key of each endpoint: id and secret."""

_KEY_HEADERS: Mapping[Endpoint, tuple[str, str]] = {
    "openapi": ("X-Naver-Client-Id", "X-Naver-Client-Secret"),
    "apihub": ("X-NCP-APIGW-API-KEY-ID", "X-NCP-APIGW-API-KEY"),
}


@dataclass(frozen=True, slots=True)
class Discovered:
    """One page of finds, with the answer that they were read from; `unknown_form`: it could not be read."""

    refs: tuple[ArticleRef, ...]
    page: RawPage | None = None
    unknown_form: bool = False


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the Search API. Its representation never shows it."""

    id: str = field(repr=False)
    secret: str = field(repr=False)

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        """The headers that carry it."""
        id_name, secret_name = _KEY_HEADERS[endpoint]
        return {id_name: self.id, secret_name: self.secret}


Reading = AsyncIterator[Discovered | SourceReport]


def _ended(tally: Tally, report: SourceReport) -> Iterator[Discovered | SourceReport]:
    """The end of a reading, after the answer that nobody here can read, if that is why it ended."""
    if tally.unread is not None:
        yield Discovered((), tally.unread, unknown_form=True)
    yield report


# -- the Search API


async def read_search_api(
    name: str, query: str, asked: Window, fetch: Fetch, *, endpoint: Endpoint, key: ApiKey | None
) -> Reading:
    """Read the Search API newest first, until an item is older than the window."""
    tally = Tally(name, asked.span)
    if key is None:
        yield tally.report(
            SourceEnd.NO_KEY, f"no key for the Search API: set {' and '.join(KEY_VARIABLES[endpoint])}, both of them"
        )
        return
    headers, still = key.headers(endpoint), Stillness()
    for start in range(1, API_CAP + 1, API_PAGE):
        url = urls.search_api_url(endpoint, query, start=start, display=API_PAGE)
        fetching = fetch(url, why=tally.source, secret_headers=headers, final=_quota_is_used_up)
        asked_page = await ask(tally, fetching, search_api.parse_search_answer, _api_refusal)
        if isinstance(asked_page, SourceReport):
            for part in _ended(tally, asked_page):
                yield part
            return
        page, answer = asked_page
        tally.add(answer.refs, items=answer.items, not_hosted=answer.not_hosted)
        still.page([ref.key.id for ref in answer.refs])
        tally.seen(answer.newest, answer.oldest if answer.in_order else answer.newest)
        yield Discovered(tuple(r for r in answer.refs if _inside(r, asked)), page)
        if end := _api_end(tally, answer, asked, start):
            yield end if still.kept else tally.report(SourceEnd.CAP, _UNSTEADY, end.watermark)
            return
    newest = tally.newest and min(tally.newest, asked.now)
    yield tally.report(SourceEnd.CAP, _api_gap(tally, asked), newest, unread=_behind_the_cap(tally, asked))


def _api_end(tally: Tally, answer: search_api.SearchAnswer, asked: Window, start: int) -> SourceReport | None:
    newest = min(tally.newest, asked.now) if tally.newest else None  # a date of the future is no article's
    watermark = max(filter(None, (newest, asked.read_before)), default=None)
    reached = answer.oldest if answer.in_order else answer.newest  # out of order, an old item is no end
    if start == 1 and answer.newest and not (asked.read_before and answer.newest >= asked.read_before):
        # Nothing shows that this is the newest page: it may have changed places with the second.
        reached = None
    if reached is not None and reached < asked.since:
        return tally.report(SourceEnd.OVERLAP, f"read back to {_minute(asked.since)}", watermark)
    if tally.items == 0:
        return tally.report(SourceEnd.EMPTY, "the Search API knows no article for this query", watermark)
    if answer.items == 0 and start <= min(answer.total, API_CAP):
        shown = f"an empty page at result {start} of {answer.total}"
        return tally.report(SourceEnd.CAP, shown, watermark, unread=_behind_the_cap(tally, asked))
    if answer.items == 0 or start + API_PAGE > answer.total:
        return tally.report(SourceEnd.END, f"all {answer.total} results read", watermark)
    return None


def _api_gap(tally: Tally, asked: Window) -> str:
    oldest = _minute(tally.oldest) if tally.oldest else "?"
    return f"{API_CAP} results shown, more exist: nothing between {_minute(asked.since)} and {oldest} was seen"


def _behind_the_cap(tally: Tally, asked: Window) -> tuple[Span, ...]:
    """What lies behind the last item shown. Of its own minute there may be more."""
    reached = tally.oldest + timedelta(minutes=1) if tally.oldest else asked.span.until
    return (Span(asked.since, min(reached, asked.span.until)),)


def _api_refusal(tally: Tally, page: RawPage) -> SourceReport:
    error = search_api.parse_api_error(page.content, page.status)
    if error is None:
        return tally.refused(page)
    ends = {"bad_key": SourceEnd.NO_KEY, "rate": SourceEnd.BLOCKED, "quota": SourceEnd.BLOCKED}
    return tally.report(ends.get(error.kind, SourceEnd.FAILED), f"the Search API says {error.code}: {error.message}")


def _quota_is_used_up(page: RawPage) -> bool:
    """A 429 that no waiting cures: the day's quota."""
    error = search_api.parse_api_error(page.content, page.status) if page.status == 429 else None
    return error is not None and error.kind == "quota"


# -- the search page


async def read_search_page(name: str, query: str, asked: Window, fetch: Fetch, known: Known) -> Reading:
    """Read the search page newest first; where it finds nothing in the window, in the days before."""
    tally = Tally(name, asked.span)
    for days in (asked.days, asked.days_before):
        if tally.items or not days:
            break
        for _ in range(PASSES):
            still = Stillness()
            async for part in _read_hits(tally, query, days, asked, fetch, known, still):
                yield part
                if isinstance(part, SourceReport):
                    return
            if still.kept:
                break
        else:
            yield tally.report(SourceEnd.CAP, _UNSTEADY, asked.now)
            return
    yield _search_page_end(tally, asked)


async def _read_hits(
    tally: Tally, query: str, days: Sequence[date], asked: Window, fetch: Fetch, known: Known, still: Stillness
) -> Reading:
    """Read what a query finds on these days, until a page holds nothing new. Yields no report at the last hit."""
    before: tuple[frozenset[str], ...] = ()
    for start in range(1, SEARCH_PAGE_CAP + 1, SEARCH_PAGE_STEP):
        url = urls.search_page_url(query, first=days[-1], last=days[0], start=start)
        asked_page = await ask(tally, fetch(url, why=tally.source), search_page.parse_search_page)
        if isinstance(asked_page, SourceReport):
            for part in _ended(tally, asked_page):
                yield part
            return
        page, answer = asked_page
        ids = frozenset(ref.key.id for ref in answer.refs)
        # Twice the same may be new hits that pushed the old ones on; three times is the last page, which repeats.
        if answer.no_results or (ids and before == (ids, ids)):
            return
        still.page([ref.key.id for ref in answer.refs])
        tally.add(answer.refs, not_hosted=answer.not_hosted)
        nothing_new = bool(ids) and await asked.holds_nothing_new(ids, known)
        yield Discovered(answer.refs, page)
        if nothing_new:
            yield tally.report(SourceEnd.OVERLAP, "a page without anything new", asked.now)
            return
        before = (*before[-1:], ids)
    # Hits bear no exact times: nobody can tell how far back the shown ones reach.
    yield tally.report(SourceEnd.CAP, f"{SEARCH_PAGE_CAP} results shown, more may exist", asked.now)


def _search_page_end(tally: Tally, asked: Window) -> SourceReport:
    if tally.items == 0 and tally.not_hosted >= SEARCH_PAGE_STEP:
        # Publishers' addresses page after page, and Naver's own nowhere: they are on the page in another form now.
        return tally.report(SourceEnd.LAYOUT_CHANGED, f"{tally.not_hosted} hits, and no address of a Naver article")
    if tally.items == 0:
        nothing = f"the search page finds nothing {_span(asked.days + asked.days_before)}"
        return tally.report(SourceEnd.EMPTY, nothing, asked.after_silence())
    return tally.report(SourceEnd.END, "the search page has no more", asked.now)


# -- lists by date

ListUrl = Callable[[date, int], str]


async def read_list(name: str, url_of: ListUrl, asked: Window, fetch: Fetch, known: Known) -> Reading:
    """Read a list's days, newest first; where they are all empty, back to a day that is not."""
    tally = Tally(name, asked.span)
    capped: dict[date, str] = {}
    read: list[date] = []
    for day in asked.days + asked.days_before:
        if tally.items and day not in asked.days:
            break
        async for part in _read_day(tally, day, url_of, asked, fetch, known):
            if isinstance(part, SourceReport):
                if part.end is not SourceEnd.CAP:
                    yield part
                    return
                capped[day] = part.reason
            else:
                yield part
        read.append(day)
    yield _list_end(tally, asked, read, capped)


def _list_end(tally: Tally, asked: Window, read: Sequence[date], capped: Mapping[date, str]) -> SourceReport:
    if capped:
        reason = "; ".join(f"{day}: {why}" for day, why in capped.items())
        return tally.report(SourceEnd.CAP, reason, asked.now, unread=[day_span(day) for day in capped])
    if tally.items == 0:
        # A list that is empty through and through looks just like one that broke.
        believed = asked.after_silence()
        unread = () if believed else (asked.span,)
        return tally.report(SourceEnd.EMPTY, f"the list is empty {_span(read)}", believed, unread=unread)
    if len(read) > len(asked.days):
        works = f"that of {read[-1]} still shows its articles"
        return tally.report(SourceEnd.EMPTY, f"the list is empty {_span(read[:-1])}, and {works}", asked.now)
    return tally.report(SourceEnd.OVERLAP, f"{len(read)} days read", asked.now)


async def _read_day(tally: Tally, day: date, url_of: ListUrl, asked: Window, fetch: Fetch, known: Known) -> Reading:
    """Read one day, again where its items changed their places. Yields a report only where it could not be read."""
    for _ in range(PASSES):
        still = Stillness()
        async for part in _read_pages(tally, day, url_of, asked, fetch, known, still):
            yield part
            if isinstance(part, SourceReport):
                return
        if still.kept:
            return
    yield tally.report(SourceEnd.CAP, _UNSTEADY)


async def _read_pages(
    tally: Tally, day: date, url_of: ListUrl, asked: Window, fetch: Fetch, known: Known, still: Stillness
) -> Reading:
    """Read a day's pages: to the end, or to a page without anything new where the day was read to its end before.

    Yields a report only where the reading failed or was capped.
    """
    before: frozenset[str] = frozenset()
    for number in range(1, LIST_PAGE_CAP + 1):
        asked_page = await ask(tally, fetch(url_of(day, number), why=tally.source), listing.parse_list_page)
        if isinstance(asked_page, SourceReport):
            for part in _ended(tally, asked_page):
                yield part
            return
        page, answer = asked_page
        ids = frozenset(ref.key.id for ref in answer.refs)
        if answer.empty and answer.has_next:
            yield tally.report(SourceEnd.LAYOUT_CHANGED, f"{day}: page {number} is empty, and links to later ones")
            return
        # Behind the last page, a list shows the last page again; by its number, or else by its items.
        if answer.empty or (ids == before if answer.page is None else answer.page != number):
            return
        still.page([ref.key.id for ref in answer.refs])
        tally.add(answer.refs)
        nothing_new = not asked.read_in_full(day) and await asked.holds_nothing_new(ids, known)
        yield Discovered(answer.refs, page)
        if not answer.has_next or nothing_new:
            return
        before = ids
    yield tally.report(SourceEnd.CAP, f"{LIST_PAGE_CAP} pages and no end")


def refs_of_addresses(addresses: Sequence[str], now: datetime) -> tuple[ArticleRef, ...]:
    """Finds for addresses that a person named, without doubles. Raises AddressError."""
    keys = {urls.article_key(address): address for address in addresses}
    return tuple(ArticleRef(key=key, url=url, source="address", seen_at=now) for key, url in keys.items())


def _inside(ref: ArticleRef, asked: Window) -> bool:
    if ref.published_at is None:
        return True
    before_end = asked.until is None or ref.published_at < asked.until
    return before_end and ref.published_at >= asked.since.replace(second=0, microsecond=0)


def _span(days: Sequence[date]) -> str:
    """Days, newest first, in words."""
    return f"on {days[0]}" if len(days) == 1 else f"from {days[-1]} to {days[0]}"


def _minute(moment: datetime) -> str:
    return moment.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M")
