"""The retired article page: news.naver.com/main/read.nhn (2019, 2020) and read.naver (2021), in cp949: `read_nhn/2`.

Naver redirects its addresses to today's page; captures of that time have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flows.naver.articles.bylines import authors_of, find_byline
from flows.naver.articles.page_parts import (
    BYLINE,
    author_meta,
    body_of,
    byline_and_categories,
    byline_of,
    categories_of,
    kind_of,
    own_key,
    photos,
    title_of,
)
from flows.naver.clock import parse_twelve_hours
from flows.naver.nodes import Scope, first_attribute, one_line, required
from flows.naver.partial_tree import Cut
from flows.naver.traits import beside, cross_checks, left_out, name_of, shape
from flows.naver.urls import clean_original_url
from schemas.article import Article, ArticleKey
from schemas.errors import LayoutChanged

PARSER = "read_nhn/2"

HEAD = ".article_header"
TITLE = "h3#articleTitle"
PRESS_LOGO = ".press_logo img[alt]"
TIMES = "span.t11"  # the first is the publication, the second the edit
ORIGINAL = "a.btn_artialoriginal[href]"
BODY = "#articleBodyContents"
CATEGORIES = ".guide_categorization"
CATEGORY = "em.guide_categorization_item"
CUT = Cut(
    anchor=b"guide_categorization",
    end=re.compile(rb'<div class="(?:promotion|end_btn)"'),
    parts=(HEAD, BODY, CATEGORIES),
    optional=(BYLINE,),
)
SIGNS = f"{BODY}, {TITLE}"  # either means that the page has this layout, or what is left of it
SIGN_IDS = frozenset(("articleTitle", "articleBodyContents"))


def parse(tree: LexborHTMLParser, key: ArticleKey, url: str) -> tuple[Article, Iterator[str]]:
    """Parse a page of this layout. The second value iterates over its marks for the drift alarm, computed lazily.

    Raises LayoutChanged, which names the selector that matches nothing.
    """
    head: Scope = tree.css_first(HEAD) or tree
    body = required(tree, BODY, url=url, layout=PARSER)
    own_key(key, None, tree, url=url, layout=PARSER)
    title = title_of(head, TITLE, url=url, layout=PARSER)
    words = body_of(body)
    publisher = _publisher(head, tree, url)
    byline_frame, categories_frame = byline_and_categories(tree, CATEGORIES)
    byline = byline_of(byline_frame) or find_byline(words.text, publisher)
    images = photos(body)
    times = _times(head, url)
    parsed = Article(
        key=key,
        title=title,
        subtitle=words.subtitle,
        body=words.whole,
        publisher=publisher,
        published_at=times[0],
        modified_at=times[1] if len(times) > 1 else None,
        byline=byline,
        authors=authors_of(byline, words.text),
        categories=categories_of(categories_frame, CATEGORY),
        original_url=clean_original_url(first_attribute(head, ORIGINAL, "href")),
        images=images,
        kind=kind_of(title, words.whole, images, body),
        parser=PARSER,
    )
    return parsed, _marks(parsed, tree, head, body)


def _marks(article: Article, tree: LexborHTMLParser, head: Scope, body: LexborNode) -> Iterator[str]:
    """The marks of the page: cross-checks, places, and the shapes of the parts that were read."""
    yield from cross_checks(article, tree)
    yield "press from the logo" if first_attribute(head, PRESS_LOGO, "alt") else "press from elsewhere"
    yield f"{min(len(head.css(TIMES)), 3)} times"
    if head.css_first(ORIGINAL) is not None:
        yield "link to the original"
    yield from left_out(article, body)
    yield from shape("body", body)
    yield from beside("the body", body, CATEGORIES[1:])
    time = required(head, TIMES, url=article.url, layout=PARSER)
    yield f"times: {name_of(time)}"
    yield from beside("the time", time, "btn_artialoriginal")
    yield "categories of the press" if article.categories else "no category"


def _publisher(head: Scope, tree: LexborHTMLParser, url: str) -> str:
    name = first_attribute(head, PRESS_LOGO, "alt") or author_meta(tree)
    if not name:
        raise LayoutChanged(f"{PRESS_LOGO} (or og:article:author)", url=url, layout=PARSER)
    return name


def _times(head: Scope, url: str) -> list[datetime]:
    times = [_time(one_line(node), url) for node in head.css(TIMES)[:2]]
    if not times:
        raise LayoutChanged(TIMES, url=url, layout=PARSER)
    return times


def _time(text: str, url: str) -> datetime:
    time = parse_twelve_hours(text)
    if time is None:
        raise LayoutChanged(TIMES, url=url, layout=PARSER, detail=f"{text[:40]!r} is no time")
    return time
