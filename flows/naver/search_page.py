"""The search page of search.naver.com. Its class names change every few months; what lasts is where its links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flows.naver.lines import said
from flows.naver.nodes import ancestors, attribute, one_line
from flows.naver.partial_tree import page_tree
from flows.naver.search_api import unique
from flows.naver.urls import clean_original_url, find_article_key
from schemas.article import ArticleKey, ArticleRef
from schemas.errors import LayoutChanged

LAYOUT = "search_page/1"

HIT_HOSTS = frozenset({"n.news.naver.com", "m.sports.naver.com", "m.entertain.naver.com"})
LINK = "a[href]"
TITLE_LINK = 'a[data-heatmap-target=".tit"][href]'  # since 2025; only a help: a hit counts without it

_NO_RESULTS = re.compile(r"검색 ?결과가 없습니다")
_CLIMB = 16  # from the small link "네이버뉴스" up to its result's frame are about ten steps


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of results. `not_hosted` counts results that have a title but no article on Naver.

    `no_results` says that the page itself says so, in words.
    """

    refs: tuple[ArticleRef, ...]
    not_hosted: int
    no_results: bool


def parse_search_page(content: bytes, *, source: str, seen_at: datetime, url: str) -> SearchPage:
    """The finds of a search page, each article once. Raises LayoutChanged when it shows neither results nor why not."""
    tree = page_tree(content, url)
    refs = unique(_refs(tree, source=source, seen_at=seen_at))
    titles = len(tree.css(TITLE_LINK))
    titled = sum(1 for ref in refs if ref.original_url is not None)
    no_results = not refs and not titles and bool(_NO_RESULTS.search(_visible_text(tree)))
    if not refs and not titles and not no_results:
        selector = 'a[href] to an article (or the words "검색결과가 없습니다")'
        raise LayoutChanged(selector, url=url, layout=LAYOUT)
    return SearchPage(refs=refs, not_hosted=max(titles - titled, 0), no_results=no_results)


def _refs(tree: LexborHTMLParser, *, source: str, seen_at: datetime) -> Iterator[ArticleRef]:
    frames = _framed_titles(tree)
    for link in tree.css(LINK):
        address = attribute(link, "href")
        if key := _hit(address):
            title = _title_link(link, frames)
            yield ArticleRef(
                key=key,
                url=address,
                source=source,
                seen_at=seen_at,
                title=said(one_line(title)) if title is not None else None,
                original_url=_original_url(title),
            )


def _hit(address: str) -> ArticleKey | None:
    key = find_article_key(address)
    return key if key is not None and urlsplit(address).netloc.lower() in HIT_HOSTS else None


def _framed_titles(tree: LexborHTMLParser) -> dict[int, LexborNode | None]:
    """Every element that holds titles: the title, or None where there are several. By `mem_id`, in linear time."""
    frames: dict[int, LexborNode | None] = {}
    for title in tree.css(TITLE_LINK):
        for frame in ancestors(title):
            if frame.mem_id not in frames:
                frames[frame.mem_id] = title
            elif frames[frame.mem_id] is None:
                break  # so have all around it
            else:
                frames[frame.mem_id] = None
    return frames


def _title_link(link: LexborNode, frames: dict[int, LexborNode | None]) -> LexborNode | None:
    """The title of the result that a hit stands in: the only one in the nearest frame that holds any."""
    nearest = (frame.mem_id for frame, _ in zip(ancestors(link), range(_CLIMB), strict=False))
    return next((frames[frame] for frame in nearest if frame in frames), None)


def _original_url(title: LexborNode | None) -> str | None:
    address = attribute(title, "href") if title is not None else ""
    return clean_original_url(address) if address and find_article_key(address) is None else None


def _visible_text(tree: LexborHTMLParser) -> str:
    tree.strip_tags(["script", "style", "noscript", "template"])
    return " ".join(tree.body.text().split()) if tree.body is not None else ""
