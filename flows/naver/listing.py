"""Lists of articles: by press office or section and date (`main/list.naver`), and section pages with their sequels.

Times in lists are mostly relative (`2시간전`). These are ignored, because the moment they refer to is unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flows.naver.clock import parse_twelve_hours
from flows.naver.decoding import decode
from flows.naver.lines import said, storable
from flows.naver.nodes import attribute, one_line, outermost, shown_line
from flows.naver.partial_tree import build_tree, page_tree
from flows.naver.search.api import unique
from flows.naver.urls import find_link
from schemas.article import ArticleRef
from schemas.errors import LayoutChanged

LIST_LAYOUT = "list_page/1"
SECTION_LAYOUT = "section_page/1"

LIST_FRAME = ".list_body"
LIST_ITEM = "ul.type06_headline li, ul.type06 li, ul.type02 li"
LIST_TITLE = "dt:not(.photo) a[href]"  # an item has two dt: the photo's and the title's
LIST_LEDE, LIST_PRESS, LIST_DATE = ".lede", ".writing", ".date"
LIST_PAGES = ".paging"

SECTION_ITEM = "li.sa_item"
SECTION_TITLE = "a.sa_text_title[href]"
SECTION_LEDE, SECTION_PRESS = ".sa_text_lede", ".sa_text_press"
SECTION_CURSOR = ".section_latest_article[data-cursor]"
SECTION_FRAME = ".section_latest_article, .section_latest, .section_component"

_NOTHING = re.compile(r"(?:기사|뉴스|내용|결과)[가이]? ?없습니다|등록된 (?:기사|뉴스)가 없")
_PAGE = re.compile(r"[?&]page=([0-9]{1,6})(?:&|$)")


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. `page` is the current page's number as shown, None if none is shown.

    Past the end Naver repeats the last page; `page` is then less than the number asked for. `has_next`: the page links
    to a later one. `empty`: the list is there and has no items.
    """

    refs: tuple[ArticleRef, ...]
    page: int | None
    has_next: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class SectionPage:
    """A section page or a sequel. `cursor` is the parameter for the next sequel; None on the last."""

    refs: tuple[ArticleRef, ...]
    cursor: str | None

    @property
    def has_next(self) -> bool:
        return self.cursor is not None


def parse_list_page(content: bytes, *, source: str, seen_at: datetime, url: str) -> ListPage:
    """Parse a press or section list. Raises LayoutChanged if there is neither a list nor a sign that it is empty."""
    tree = page_tree(content, url)
    refs = unique(_list_refs(tree, source=source, seen_at=seen_at, url=url))
    if not refs and not _is_empty_list(tree, url):
        raise LayoutChanged(LIST_ITEM, url=url, layout=LIST_LAYOUT)
    page, later = _pages(tree)
    return ListPage(refs=refs, page=page, has_next=later, empty=not refs)


def parse_section_page(content: bytes, *, source: str, seen_at: datetime, url: str) -> SectionPage:
    """Parse a section's first page. Raises LayoutChanged if it shows no article."""
    page = _section(page_tree(content, url), source=source, seen_at=seen_at, url=url)
    if not page.refs:
        raise LayoutChanged(SECTION_ITEM, url=url, layout=SECTION_LAYOUT)
    return page


def parse_section_more(content: bytes, *, source: str, seen_at: datetime, url: str) -> SectionPage:
    """Parse a sequel: JSON that contains HTML, empty after the last one. Raises LayoutChanged for anything else."""
    fragment = _rendered(content)
    if fragment is None:
        raise LayoutChanged("renderedComponent.SECTION_ARTICLE_LIST_FOR_LATEST", url=url, layout=SECTION_LAYOUT)
    tree = build_tree(storable(fragment).encode(), url)
    page = _section(tree, source=source, seen_at=seen_at, url=url)
    if not page.refs and fragment.strip() and tree.css_first(SECTION_FRAME) is None:
        raise LayoutChanged(SECTION_ITEM, url=url, layout=SECTION_LAYOUT)
    return page


def _list_refs(tree: LexborHTMLParser, *, source: str, seen_at: datetime, url: str) -> Iterator[ArticleRef]:
    for item in outermost(tree, LIST_ITEM):
        link = item.css_first(LIST_TITLE) or item.css_first("a[href]")
        if link is not None and (found := find_link(url, attribute(link, "href"))):
            yield ArticleRef(
                key=found[0],
                url=found[1],
                source=source,
                seen_at=seen_at,
                title=said(shown_line(link)),
                description=_text(item, LIST_LEDE),
                publisher=_text(item, LIST_PRESS),
                published_at=parse_twelve_hours(_text(item, LIST_DATE) or ""),
            )


def _is_empty_list(tree: LexborHTMLParser, url: str) -> bool:
    """Whether the list's element is there, and is blank or says in words that there is nothing.

    An element that contains rows with links, or links to articles, is not empty: its layout is unknown.
    """
    frame = tree.css_first(LIST_FRAME)
    if frame is None or any(row.css_first("a[href]") for row in outermost(frame, LIST_ITEM)):
        return False
    if any(find_link(url, attribute(link, "href")) for link in frame.css("a[href]")):
        return False
    text = one_line(frame)
    return not text or bool(_NOTHING.search(text))


def _pages(tree: LexborHTMLParser) -> tuple[int | None, bool]:
    """The current page's number, and whether there is a link to a later one."""
    frame = tree.css_first(LIST_PAGES)
    current = frame.css_first("strong") if frame is not None else None
    if frame is None or current is None or not one_line(current).isdecimal():
        return None, False
    page = int(one_line(current)[:9])
    linked = (_PAGE.search(attribute(link, "href")) for link in frame.css("a[href]"))
    return page, any(match is not None and int(match[1]) > page for match in linked)


def _section(tree: LexborHTMLParser, *, source: str, seen_at: datetime, url: str) -> SectionPage:
    refs = unique(_section_refs(tree, source=source, seen_at=seen_at, url=url))
    frame = tree.css_first(SECTION_CURSOR)
    more = frame is not None and attribute(frame, "data-has-next") != "false"
    return SectionPage(
        refs=refs, cursor=attribute(frame, "data-cursor") or None if frame is not None and more else None
    )


def _section_refs(tree: LexborHTMLParser, *, source: str, seen_at: datetime, url: str) -> Iterator[ArticleRef]:
    for item in outermost(tree, SECTION_ITEM):
        link = item.css_first(SECTION_TITLE)
        if link is not None and (found := find_link(url, attribute(link, "href"))):
            yield ArticleRef(
                key=found[0],
                url=found[1],
                source=source,
                seen_at=seen_at,
                title=said(shown_line(link)),
                description=_text(item, SECTION_LEDE),
                publisher=_text(item, SECTION_PRESS),
            )


def _text(item: LexborNode, selector: str) -> str | None:
    node = item.css_first(selector)
    return said(one_line(node)) if node is not None else None


def _rendered(content: bytes) -> str | None:
    """The HTML in `{"renderedComponent": {"SECTION_ARTICLE_LIST…": "<div>…"}}`."""
    try:
        answer: Any = json.loads(decode(content))
    except (ValueError, RecursionError):
        return None
    component = answer.get("renderedComponent") if isinstance(answer, dict) else None
    values = component.items() if isinstance(component, dict) else ()
    return next(
        (html for name, html in values if name.startswith("SECTION_ARTICLE_LIST") and isinstance(html, str)), None
    )
