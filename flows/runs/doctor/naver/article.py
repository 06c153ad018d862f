"""One article through the parser: which fields are there, how long they are, where they were found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from flows.fetching.client import Client
from flows.naver.articles.layouts import read_article
from flows.naver.traits import ECHOES
from flows.runs.doctor.check import Check, error, ok, warning
from flows.runs.doctor.naver import faults
from schemas.article import Article, ArticleKey, ArticleRef
from schemas.errors import ArticleGone, LayoutChanged, ParseError
from schemas.page import Fault, FetchFault, RawPage
from schemas.traits import Traits

NAME = "article"
HOST = "n.news.naver.com"

_TRIES = 3
"""Articles that are requested until one can be parsed: those deleted, and those of sports, have no such page."""
_GONE = (404, 410)
_FIELDS = ("publisher", "published_at", "modified_at", "subtitle", "authors", "categories", "images", "original_url")
_PLACES = re.compile(r": in <| from | is (?!not )")
"""How marks of a page say where something was found, or what else on the page confirms it."""


async def read_one_article(refs: Sequence[ArticleRef], client: Client) -> Check:
    """The first of these articles that is there, through its parser."""
    keys = list(dict.fromkeys(ref.key for ref in refs if urlsplit(ref.url).netloc == HOST))[:_TRIES]
    if not keys:
        return warning(NAME, "not tried: no source names one", "see the sources above")
    for key in keys:
        if (check := _read(key, await client.fetch(key.url, why=NAME))) is not None:
            return check
    return warning(NAME, f"not tried: the first {len(keys)} that the sources name are gone", faults.LATER)


def _read(key: ArticleKey, answer: RawPage | FetchFault) -> Check | None:
    """What is read off an article's page; None if it shows no article of news."""
    if isinstance(answer, FetchFault):
        return _unread(key, answer)
    if answer.status in _GONE or urlsplit(answer.final_url).netloc != HOST:
        return None
    if answer.status != 200:
        return error(NAME, f"{key.id}: answered with status {answer.status}", faults.REFUSED)
    try:
        return _judged(*read_article(answer.content, key.url))
    except ArticleGone:
        return None
    except LayoutChanged as fault:
        return error(NAME, f"{key.id}: {faults.unknown_layout(fault)}", faults.REPORT)
    except ParseError:
        return warning(NAME, f"{key.id}: the page says that it is not available at the moment", faults.LATER)


def _unread(key: ArticleKey, fault: FetchFault) -> Check:
    if fault.fault is Fault.FORBIDDEN:
        return warning(NAME, "not requested: robots.txt forbids it", "see robots.txt above")
    return error(NAME, f"{key.id}: {faults.said(fault)}", faults.LATER)


def _judged(article: Article, traits: Traits) -> Check:
    lengths = ", ".join(f"{what} {size:,}" for what, size in traits.lengths)
    fields = ", ".join(field for field in _FIELDS if getattr(article, field))
    # Echoes hold texts of the page.
    places = sorted(mark for mark in traits.marks if _PLACES.search(mark) and not mark.startswith(ECHOES))
    found = f"{article.id} by {traits.layout}: {lengths}; with {fields}; {', '.join(places)}"
    if not article.body:
        return warning(NAME, f"{found}; without a text", f"see whether its page has one; {faults.REPORT}")
    return ok(NAME, found)
