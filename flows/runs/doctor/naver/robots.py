"""What the robots.txt of each host in force allows this seogo."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from urllib.parse import urlsplit

from flows.fetching.robots import Rules
from flows.naver.urls import json_api_url
from flows.runs.doctor.check import Check, error, ok, warning
from flows.runs.doctor.naver import faults
from schemas.article import ArticleKey
from schemas.page import Fault, FetchFault
from schemas.topic import PressList, SearchPage, SectionList, Topic

_NAME = "robots.txt"
_SAMPLE = ArticleKey("001", "0000000001")


class Purpose(Enum):
    """What a host is asked for, with an address of that kind for each host."""

    ARTICLES = "articles", (_SAMPLE.url,)
    LISTS = "lists of articles", ("https://news.naver.com/main/list.naver?mode=LSD",)
    SEARCH = "the search page", ("https://search.naver.com/search.naver?where=news",)
    SPORTS = (
        "articles on sports",
        (
            f"https://m.sports.naver.com/article/{_SAMPLE.oid}/{_SAMPLE.aid}",
            json_api_url(_SAMPLE, "sports"),
        ),
    )
    ENTERTAINMENT = (
        "articles on entertainment",
        (
            f"https://m.entertain.naver.com/article/{_SAMPLE.oid}/{_SAMPLE.aid}",
            json_api_url(_SAMPLE, "entertain"),
        ),
    )

    def __init__(self, words: str, addresses: tuple[str, ...]) -> None:
        self.words = words
        self.addresses = addresses


_SEARCH_API = "find articles by the source search_api, which needs a key: README.md"
_LISTED = "runs keep what the sources say of an article; with Naver's permission: robots in docs/topics.md"


def purposes_of(topic: Topic) -> dict[str, Purpose]:
    """The hosts that a run asks, without those of the Search API, and what for."""
    purposes = [Purpose.ARTICLES]
    purposes += [Purpose.LISTS for source in topic.sources if isinstance(source, PressList | SectionList)]
    purposes += [Purpose.SEARCH for source in topic.sources if isinstance(source, SearchPage)]
    purposes += [Purpose.SPORTS, Purpose.ENTERTAINMENT]
    return {urlsplit(address).netloc: purpose for purpose in purposes for address in purpose.addresses}


def robots_check(host: str, purpose: Purpose, rules: Rules, topic: Topic) -> Check:
    """What a host's robots.txt allows."""
    address = next(address for address in purpose.addresses if urlsplit(address).netloc == host)
    refusal = rules.refusal(address, address)
    if refusal is None:
        has = "allows" if rules.rules else "has none, which allows"
        pace = f", {rules.delay:g} s between two requests" if rules.delay else ""
        return ok(_NAME, f"{host} {has} {purpose.words}{pace}")
    forbids = refusal.fault is Fault.FORBIDDEN
    found = f"{host} forbids {purpose.words}" if forbids else f"{host}: cannot be read: {faults.said(refusal)}"
    if topic.robots == "permitted":
        return ok(_NAME, f"{found}; not applied, by the permission in the topic file")
    if forbids:
        return warning(_NAME, found, _SEARCH_API if purpose in (Purpose.LISTS, Purpose.SEARCH) else _LISTED)
    judged = warning if purpose in (Purpose.SPORTS, Purpose.ENTERTAINMENT) else error
    return judged(_NAME, f"{found}, so nothing may be requested from it", faults.LATER)


def none_answers(rules: Sequence[Rules]) -> FetchFault | None:
    """Why none of the hosts could be reached; None if one could."""
    unread = [one.unreadable for one in rules]
    reached = any(fault is None or fault.fault not in faults.UNREACHABLE for fault in unread)
    return None if reached else next(iter(unread), None)
