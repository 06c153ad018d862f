"""One page of each source through its parser: how many articles it names, and what it says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flows.fetching.client import Client
from flows.naver import listing, urls
from flows.naver.search.api import parse_search_answer
from flows.naver.search.page import parse_search_page
from flows.runs.doctor.check import Check, error, ok, warning
from flows.runs.doctor.naver import faults
from flows.runs.doctor.naver.keys import KeyTried
from schemas.article import ArticleRef
from schemas.errors import LayoutChanged
from schemas.page import Fault, FetchFault, RawPage
from schemas.topic import PressList, SearchApi, SearchPage, SectionList, Source, Topic

_WEEK = timedelta(days=6)
_FIELDS = ("title", "description", "publisher", "published_at", "original_url")

Parse = Callable[..., Any]
"""A parser of a source's page; what it returns has `refs`."""


@dataclass(frozen=True, slots=True)
class SourceRead:
    """The check of a source, and the articles that its first page names."""

    check: Check
    refs: tuple[ArticleRef, ...] = ()


async def read_sources(topic: Topic, keys: Mapping[str, KeyTried], client: Client, today: date) -> list[SourceRead]:
    """The first page of each source of the topic, for the first thing that it is asked. `keys` by endpoint."""
    return [await _read(source, topic, keys, client, today) for source in topic.sources]


def all_unread(sources: Sequence[SourceRead]) -> list[Check]:
    """A check that fails if no run can find anything."""
    if any(source.refs for source in sources):
        return []
    return [error("sources", "none of the topic's sources names an article", "see each of them above")]


async def _read(source: Source, topic: Topic, keys: Mapping[str, KeyTried], client: Client, today: date) -> SourceRead:
    name = f"source {source.label}"
    match source:
        case SearchApi():
            return _read_page(name, keys[source.endpoint].answer, parse_search_answer)
        case SearchPage():
            url = urls.search_page_url(topic.queries[0], first=today - _WEEK, last=today, start=1)
            return _read_page(name, await client.fetch(url, why=name), parse_search_page)
        case PressList():
            url = urls.press_list_url(source.oids[0], _day_of_list(today), 1)
            return _read_page(name, await client.fetch(url, why=name), listing.parse_list_page)
        case SectionList():
            url = urls.section_list_url(source.sids[0], _day_of_list(today), 1)
            return _read_page(name, await client.fetch(url, why=name), listing.parse_list_page)


def _day_of_list(today: date) -> date:
    """Yesterday: after midnight, the list of today is empty, and looks like one that is broken."""
    return today - timedelta(days=1)


def _read_page(name: str, answer: RawPage | FetchFault | None, parse: Parse) -> SourceRead:
    if not isinstance(answer, RawPage):
        return SourceRead(_unread(name, answer))
    if answer.status != 200:
        return SourceRead(error(name, f"answered with status {answer.status}", faults.REFUSED))
    try:
        parsed = parse(answer.content, source=name, seen_at=answer.fetched_at, url=answer.final_url)
    except LayoutChanged as fault:
        return SourceRead(error(name, faults.unknown_layout(fault), faults.REPORT))
    refs: tuple[ArticleRef, ...] = parsed.refs
    return SourceRead(_judged(name, refs, getattr(parsed, "not_hosted", 0)), refs)


def _unread(name: str, fault: FetchFault | None) -> Check:
    if fault is None:
        return error(name, "not read: it needs a key", "see the key above")
    if fault.fault is Fault.FORBIDDEN:
        return warning(name, "not read: robots.txt forbids it", "see robots.txt above")
    return error(name, f"not read: {faults.said(fault)}", faults.LATER)


def _judged(name: str, refs: Sequence[ArticleRef], not_hosted: int) -> Check:
    elsewhere = f"; {not_hosted} more are not hosted by Naver" if not_hosted else ""
    if not refs:
        return warning(name, f"its first page names no article{elsewhere}", "see whether a browser shows any")
    counts = {field: sum(getattr(ref, field) is not None for ref in refs) for field in _FIELDS}
    shown = ", ".join(f"{number} with {field}" for field, number in counts.items() if number)
    found = f"{len(refs)} articles on its first page: {shown or 'nothing more than their addresses'}{elsewhere}"
    if counts["title"] < len(refs):
        return warning(name, found, f"titles are missing, so the page may look different now; {faults.REPORT}")
    return ok(name, found)
