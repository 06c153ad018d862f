"""A page to an `Article`: the layout is chosen by what the page shows, never by its address.

    bytes ─┬─ JSON ──────────────► sports_json       sports_json/2
           └─ HTML ─ tree ─┬─────► nnews_page        article_page/2
                           ├─────► read_nhn_page     read_nhn/2
                           └─ none: gone, not available now, or a layout that nobody here knows

A redesign adds a module here; the pages of the old one keep parsing.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from selectolax.lexbor import LexborHTMLParser

from flows.naver import nnews_page, read_nhn_page, sports_json
from flows.naver.nodes import attribute
from flows.naver.partial_tree import page_tree, partial_tree
from flows.naver.traits import make_traits
from flows.naver.urls import article_key
from schemas.article import Article, ArticleKey
from schemas.errors import ArticleGone, LayoutChanged, TemporarilyUnavailable
from schemas.traits import Traits

GONE_NOTICES = (
    "삭제된 기사입니다",
    "노출 중단",
    "노출이 중단된 기사입니다",
    "페이지를 찾을 수 없습니다",
    "서비스 되지 않는 기사",
)
UNAVAILABLE_NOTICES = ("Service Unavailable", "Service Temporarily Unavailable", "Temporarily Unavailable")

_LAYOUTS = (read_nhn_page, nnews_page)
_SIGNS = f"{nnews_page.SIGNS}, {read_nhn_page.SIGNS}"
# A notice is the page's own sentence. Headlines of other articles are links, and scripts hold every text there is.
_NOT_OF_THE_PAGE = ["script", "style", "noscript", "template", "iframe", "a"]


def parse_article(content: bytes, url: str) -> Article:
    """The article of a page of any known layout.

    Raises AddressError when `url` names no article, LayoutChanged when the page lacks what its layout needs or is
    of another article, ArticleGone and TemporarilyUnavailable when the page says so instead of showing an article.
    """
    return _read(content, url)[0]


def read_article(content: bytes, url: str) -> tuple[Article, Traits]:
    """The same, with what the page looks like, for the drift alarm. Raises what `parse_article` raises."""
    article, marks = _read(content, url)
    return article, make_traits(article, marks)


def _read(content: bytes, url: str) -> tuple[Article, Iterator[str]]:
    """The article, and its marks as long as nobody asks for them."""
    key = article_key(url)
    if content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return sports_json.parse(content, key, url)
    for layout in _LAYOUTS:
        tree = partial_tree(content, layout.CUT, url)
        if tree is not None and _layout_of(tree) is layout:
            return _parsed(tree, layout, key, url)
    return _read_tree(page_tree(content, url), key, url)


def parse_whole_page(content: bytes, url: str) -> Article:
    """The same for an HTML page, always by way of the whole page's tree. Raises what `parse_article` raises."""
    return _read_tree(page_tree(content, url), article_key(url), url)[0]


def _read_tree(tree: LexborHTMLParser, key: ArticleKey, url: str) -> tuple[Article, Iterator[str]]:
    layout = _layout_of(tree)
    if layout is None:
        raise _what_else(tree, url)
    return _parsed(tree, layout, key, url)


def _layout_of(tree: LexborHTMLParser) -> ModuleType | None:
    """The layout by the first sign in the page's order, so that what stands behind an article cannot decide."""
    sign = tree.css_first(_SIGNS)
    if sign is None:
        return None
    return read_nhn_page if attribute(sign, "id") in read_nhn_page.SIGN_IDS else nnews_page


def _parsed(tree: LexborHTMLParser, layout: ModuleType, key: ArticleKey, url: str) -> tuple[Article, Iterator[str]]:
    read: tuple[Article, Iterator[str]] = layout.parse(tree, key, url)
    return read


def _what_else(tree: LexborHTMLParser, url: str) -> ArticleGone | TemporarilyUnavailable | LayoutChanged:
    """What a page is that shows no article. Only here do its words count: an article may be *about* a deletion."""
    text = _own_text(tree)
    if notice := next((notice for notice in GONE_NOTICES if notice in text), None):
        return ArticleGone(notice, url=url)
    if notice := next((notice for notice in UNAVAILABLE_NOTICES if notice in text), None):
        return TemporarilyUnavailable(notice, url=url)
    return LayoutChanged(nnews_page.BODY, url=url, layout=nnews_page.PARSER, detail=f"the page reads {text[:80]!r}")


def _own_text(tree: LexborHTMLParser) -> str:
    tree.strip_tags(_NOT_OF_THE_PAGE)
    root = tree.root
    return " ".join(root.text().split()) if root is not None else ""
