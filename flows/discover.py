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

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Literal, Protocol

from flows.naver import listing, search_api, search_page, urls
from flows.tally import Tally, ask
from schemas.article import SEOUL, ArticleRef
from schemas.page import FetchFault, RawPage
from schemas.receipt import SourceEnd, SourceReport
from schemas.topic import PressList, SearchApi, SearchPage, SectionList, Source, Topic

API_PAGE = 100
API_CAP = 1000
SEARCH_PAGE_STEP = 10
SEARCH_PAGE_CAP = 1000
LIST_PAGE_CAP = 300
"""Pages of a day's list after which something is wrong: the longest known day has about 150."""

SILENCE = timedelta(days=7)
"""How long a source that once named articles may be silent before it is taken at its word."""


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

KEY_VARIABLES: Mapping[Endpoint, tuple[str, str]] = {
    "apihub": ("NAVER_APIHUB_KEY_ID", "NAVER_APIHUB_KEY"),
    "openapi": ("NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"),
}
"""The environment variables that hold the key of each endpoint: id and secret."""

_KEY_HEADERS: Mapping[Endpoint, tuple[str, str]] = {
    "openapi": ("X-Naver-Client-Id", "X-Naver-Client-Secret"),
    "apihub": ("X-NCP-APIGW-API-KEY-ID", "X-NCP-APIGW-API-KEY"),
}

Known = Callable[[Sequence[str]], Awaitable[Mapping[str, datetime]]]
"""Of these ids, those that runs have found: id -> start of the run that first did."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """One page of finds, with the answer that they were read from."""

    refs: tuple[ArticleRef, ...]
    page: RawPage | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked of a source: everything from `since` on. `read_before`: until then it has been read already."""

    since: datetime
    now: datetime
    read_before: datetime | None = None

    @property
    def days(self) -> list[date]:
        """The Korean days of the window, newest first."""
        last, first = self.now.astimezone(SEOUL).date(), self.since.astimezone(SEOUL).date()
        return [last - timedelta(days=n) for n in range((last - first).days + 1)]

    @property
    def days_before(self) -> list[date]:
        """The days before the window in which a source that is silent now has to show that it works, newest first.

        None for a source that was never read through: it has shown nothing yet, and gets what it was asked for.
        """
        if self.read_before is None:
            return []
        return Window(self.now - SILENCE, self.now).days[len(self.days) :]

    def after_silence(self) -> datetime | None:
        """How far a source counts as read that named nothing at all."""
        return self.now if self.now - self.since >= SILENCE else None

    async def holds_nothing_new(self, ids: Collection[str], known: Known) -> bool:
        """Whether all of a page was found before the source was last read through.

        What a run found that did not get through the source (it was stopped, or killed) does not count: behind it may
        lie what nobody has seen yet.
        """
        if self.read_before is None:
            return False
        found = await known(sorted(ids))
        return all(id_ in found and found[id_] <= self.read_before for id_ in ids)

    def read_in_full(self, day: date) -> bool:
        """Whether a day's list is to be read to its end: it never was since the day ended."""
        return self.read_before is None or (self.read_before.astimezone(SEOUL).date() <= day < self.days[0])


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


def window(topic: Topic, watermark: datetime | None, now: datetime, *, since: datetime | None = None) -> Window:
    """The window of a source: from its watermark minus the lag, or as far back as the topic says, or from `since`."""
    if since is not None:
        return Window(since, now)
    if watermark is None or watermark > now + topic.limits.lag:
        # A mark of the future was left by a clock that was ahead: nobody knows how far the source was read.
        return Window(now - topic.limits.lookback, now)
    watermark = min(watermark, now)
    return Window(watermark - topic.limits.lag, now, watermark)


# -- the Search API


async def read_search_api(
    name: str, query: str, asked: Window, fetch: Fetch, *, endpoint: Endpoint, key: ApiKey | None
) -> Reading:
    """Read the Search API newest first, until an item is older than the window."""
    tally = Tally(name)
    if key is None:
        yield tally.report(
            SourceEnd.NO_KEY, f"no key for the Search API: set {' and '.join(KEY_VARIABLES[endpoint])}, both of them"
        )
        return
    headers = key.headers(endpoint)
    for start in range(1, API_CAP + 1, API_PAGE):
        url = urls.search_api_url(endpoint, query, start=start, display=API_PAGE)
        fetching = fetch(url, why=tally.source, secret_headers=headers, final=_quota_is_used_up)
        asked_page = await ask(tally, fetching, search_api.parse_search_answer, _api_refusal)
        if isinstance(asked_page, SourceReport):
            yield asked_page
            return
        page, answer = asked_page
        tally.add(answer.refs, items=answer.items, not_hosted=answer.not_hosted)
        tally.seen(answer.newest, answer.oldest)
        yield Discovered(tuple(r for r in answer.refs if _inside(r, asked)), page)
        if end := _api_end(tally, answer, asked, start):
            yield end
            return
    yield tally.report(SourceEnd.CAP, _api_gap(tally, asked), tally.newest and min(tally.newest, asked.now))


def _api_end(tally: Tally, answer: search_api.SearchAnswer, asked: Window, start: int) -> SourceReport | None:
    newest = min(tally.newest, asked.now) if tally.newest else None  # a date of the future is no article's
    watermark = max(filter(None, (newest, asked.read_before)), default=None)
    if answer.oldest is not None and answer.oldest < asked.since:
        return tally.report(SourceEnd.OVERLAP, f"read back to {_minute(asked.since)}", watermark)
    if tally.items == 0:
        return tally.report(SourceEnd.EMPTY, "the Search API knows no article for this query", watermark)
    if answer.items < API_PAGE or start + API_PAGE > answer.total:
        return tally.report(SourceEnd.END, f"all {answer.total} results read", watermark)
    return None


def _api_gap(tally: Tally, asked: Window) -> str:
    oldest = _minute(tally.oldest) if tally.oldest else "?"
    return f"{API_CAP} results shown, more exist: nothing between {_minute(asked.since)} and {oldest} was seen"


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
    tally = Tally(name)
    for days in (asked.days, asked.days_before):
        if tally.items or not days:
            break
        async for part in _read_hits(tally, query, days, asked, fetch, known):
            yield part
            if isinstance(part, SourceReport):
                return
    yield _search_page_end(tally, asked)


async def _read_hits(
    tally: Tally, query: str, days: Sequence[date], asked: Window, fetch: Fetch, known: Known
) -> Reading:
    """Read what a query finds on these days, until a page holds nothing new. Yields no report at the last hit."""
    before: frozenset[str] = frozenset()
    for start in range(1, SEARCH_PAGE_CAP + 1, SEARCH_PAGE_STEP):
        url = urls.search_page_url(query, first=days[-1], last=days[0], start=start)
        asked_page = await ask(tally, fetch(url, why=tally.source), search_page.parse_search_page)
        if isinstance(asked_page, SourceReport):
            yield asked_page
            return
        page, answer = asked_page
        ids = frozenset(ref.key.id for ref in answer.refs)
        if answer.no_results or (ids and ids == before):
            return
        tally.add(answer.refs, not_hosted=answer.not_hosted)
        nothing_new = bool(ids) and await asked.holds_nothing_new(ids, known)
        yield Discovered(answer.refs, page)
        if nothing_new:
            yield tally.report(SourceEnd.OVERLAP, "a page without anything new", asked.now)
            return
        before = ids
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
    tally = Tally(name)
    capped = []
    read: list[date] = []
    for day in asked.days + asked.days_before:
        if tally.items and day not in asked.days:
            break
        async for part in _read_day(tally, day, url_of, asked, fetch, known):
            if isinstance(part, SourceReport):
                if part.end is not SourceEnd.CAP:
                    yield part
                    return
                capped.append(f"{day}: {part.reason}")
            else:
                yield part
        read.append(day)
    yield _list_end(tally, asked, read, capped)


def _list_end(tally: Tally, asked: Window, read: Sequence[date], capped: Sequence[str]) -> SourceReport:
    if capped:
        return tally.report(SourceEnd.CAP, "; ".join(capped), asked.now)
    if tally.items == 0:
        return tally.report(SourceEnd.EMPTY, f"the list is empty {_span(read)}", asked.after_silence())
    if len(read) > len(asked.days):
        works = f"that of {read[-1]} still shows its articles"
        return tally.report(SourceEnd.EMPTY, f"the list is empty {_span(read[:-1])}, and {works}", asked.now)
    return tally.report(SourceEnd.OVERLAP, f"{len(read)} days read", asked.now)


async def _read_day(tally: Tally, day: date, url_of: ListUrl, asked: Window, fetch: Fetch, known: Known) -> Reading:
    """Read one day: to the end, or to a page without anything new where the day was read to its end before.

    Yields a report only where the reading failed or was capped.
    """
    before: frozenset[str] = frozenset()
    for number in range(1, LIST_PAGE_CAP + 1):
        asked_page = await ask(tally, fetch(url_of(day, number), why=tally.source), listing.parse_list_page)
        if isinstance(asked_page, SourceReport):
            yield asked_page
            return
        page, answer = asked_page
        ids = frozenset(ref.key.id for ref in answer.refs)
        if answer.empty and answer.has_next:
            yield tally.report(SourceEnd.LAYOUT_CHANGED, f"{day}: page {number} is empty, and links to later ones")
            return
        if answer.empty or ids == before or (answer.page is not None and answer.page != number):
            return  # behind the last page, a list shows the last page again
        tally.add(answer.refs)
        nothing_new = not asked.read_in_full(day) and await asked.holds_nothing_new(ids, known)
        yield Discovered(answer.refs, page)
        if not answer.has_next or nothing_new:
            return
        before = ids
    yield tally.report(SourceEnd.CAP, f"{LIST_PAGE_CAP} pages and no end")


# -- all of a topic's sources


def readings(
    topic: Topic,
    window_of: Callable[[str], Window],
    fetch: Fetch,
    known: Known,
    keys: Mapping[str, ApiKey],
) -> list[Reading]:
    """One reading for each source and query of a topic, in the topic file's order."""
    found: list[Reading] = []
    for source in topic.sources:
        names = [f"{source.label}:{asked}" for asked in _asked_of(source, topic)]
        for name in names:
            _, _, asked = name.partition(":")
            window_ = window_of(name)
            match source:
                case SearchApi():
                    key = keys.get(source.endpoint)
                    found.append(read_search_api(name, asked, window_, fetch, endpoint=source.endpoint, key=key))
                case SearchPage():
                    found.append(read_search_page(name, asked, window_, fetch, known))
                case PressList():
                    found.append(read_list(name, partial(urls.press_list_url, asked), window_, fetch, known))
                case SectionList():
                    found.append(read_list(name, partial(urls.section_list_url, asked), window_, fetch, known))
    return found


def _asked_of(source: Source, topic: Topic) -> tuple[str, ...]:
    """What a source is asked for, one after the other: queries, press offices or sections."""
    match source:
        case PressList():
            return source.oids
        case SectionList():
            return source.sids
        case _:
            return topic.queries


def refs_of_addresses(addresses: Sequence[str], now: datetime) -> tuple[ArticleRef, ...]:
    """Finds for addresses that a person named, without doubles. Raises AddressError."""
    keys = {urls.article_key(address): address for address in addresses}
    return tuple(ArticleRef(key=key, url=url, source="address", seen_at=now) for key, url in keys.items())


def _inside(ref: ArticleRef, asked: Window) -> bool:
    return ref.published_at is None or ref.published_at >= asked.since.replace(second=0, microsecond=0)


def _span(days: Sequence[date]) -> str:
    """Days, newest first, in words."""
    return f"on {days[0]}" if len(days) == 1 else f"from {days[-1]} to {days[0]}"


def _minute(moment: datetime) -> str:
    return moment.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M")
