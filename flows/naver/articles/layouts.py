"""Parse an article page of any layout. The layout is chosen by what the page contains, never by its address.

    bytes ─┬─ JSON ──────────────► sports_json       sports_json/2
           └─ HTML ─ tree ─┬─────► nnews_page        article_page/2
                           ├─────► read_nhn_page     read_nhn/2
                           └─ neither: deleted, temporarily unavailable, or an unknown layout

A redesign adds a module; pages in the old layout can still be parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from selectolax.lexbor import LexborHTMLParser

from flows.naver.articles import nnews_page, read_nhn_page, sports_json
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

_LAYOUTS = (nnews_page, read_nhn_page)  # the one of today's pages first: to look for the other takes a fifteenth
_SIGNS = f"{nnews_page.SIGNS}, {read_nhn_page.SIGNS}"
# A notice is the page's own sentence: links hold other articles' headlines, scripts hold texts of any kind.
_NOT_OF_THE_PAGE = ["script", "style", "noscript", "template", "iframe", "a"]


def parse_article(content: bytes, url: str) -> Article:
    """The article on a page of any known layout.

    Raises AddressError when `url` is not the address of an article, LayoutChanged when the page lacks what its layout
    needs or contains another article, ArticleGone and TemporarilyUnavailable when the page says so instead.
    """
    return _read(content, url)[0]


def read_article(content: bytes, url: str) -> tuple[Article, Traits]:
    """Like `parse_article`, together with the page's traits for the drift alarm. Raises the same errors."""
    article, marks = _read(content, url)
    return article, make_traits(article, marks)


def _read(content: bytes, url: str) -> tuple[Article, Iterator[str]]:
    """The article and an iterator over its marks, which are computed lazily."""
    key = article_key(url)
    if content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return sports_json.parse(content, key, url)
    for layout in _LAYOUTS:
        tree = partial_tree(content, layout.CUT, url)
        if tree is not None and _layout_of(tree) is layout:
            return _parsed(tree, layout, key, url)
    return _read_tree(page_tree(content, url), key, url)


def parse_whole_page(content: bytes, url: str) -> Article:
    """Like `parse_article`, but always builds the tree of the whole HTML page. Raises the same errors."""
    return _read_tree(page_tree(content, url), article_key(url), url)[0]


def _read_tree(tree: LexborHTMLParser, key: ArticleKey, url: str) -> tuple[Article, Iterator[str]]:
    layout = _layout_of(tree)
    if layout is None:
        raise _what_else(tree, url)
    return _parsed(tree, layout, key, url)


def _layout_of(tree: LexborHTMLParser) -> ModuleType | None:
    """The layout by the first sign in document order, so that nothing after the article can decide it."""
    sign = tree.css_first(_SIGNS)
    if sign is None:
        return None
    return read_nhn_page if attribute(sign, "id") in read_nhn_page.SIGN_IDS else nnews_page


def _parsed(tree: LexborHTMLParser, layout: ModuleType, key: ArticleKey, url: str) -> tuple[Article, Iterator[str]]:
    read: tuple[Article, Iterator[str]] = layout.parse(tree, key, url)
    return read


def _what_else(tree: LexborHTMLParser, url: str) -> ArticleGone | TemporarilyUnavailable | LayoutChanged:
    """The error for a page without an article. Its words count only here: an article may be *about* a deletion."""
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
