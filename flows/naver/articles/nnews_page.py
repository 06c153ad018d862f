"""The article page of n.news.naver.com, 2022 to 2026-10: `article_page/2`.

    .media_end_head         press office, title, times, reporter, link to the original
    #newsct_article         contains #dic_area, the body, with subtitle, photos and player
    .byline                 the byline, until 2026-03; always before the categories
    .media_end_categorize   the press office's own categories
    <head>                  og:url, og:article:author, `var article`, `var office`

Everything is read from the first occurrence of each part, so that other articles further down do not interfere.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain

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
from flows.naver.clock import parse_stamp, parse_twelve_hours
from flows.naver.lines import storable
from flows.naver.nodes import Scope, attribute, first_attribute, one_line, outermost, required
from flows.naver.partial_tree import Cut
from flows.naver.traits import agrees, beside, cross_checks, left_out, shape
from flows.naver.urls import clean_original_url
from schemas.article import Article, ArticleKey
from schemas.errors import LayoutChanged

PARSER = "article_page/2"

HEAD = ".media_end_head"
TITLE = "h2.media_end_head_headline"
PRESS_LOGO = ".media_end_head_top_logo img[alt]"
PUBLISHED, PUBLISHED_AT = "span._ARTICLE_DATE_TIME", "data-date-time"
MODIFIED, MODIFIED_AT = "span._ARTICLE_MODIFY_DATE_TIME", "data-modify-date-time"
REPORTER = "em.media_end_head_journalist_name"
ORIGINAL = "a.media_end_head_origin_link[href]"
FRAME = "#newsct_article"
BODY = "#dic_area"
CATEGORIES = ".media_end_categorize"
CATEGORY = "em.media_end_categorize_item"
SCRIPT = "script"  # in <head>
SIGNS = f"{BODY}, {TITLE}"  # either means that the page has this layout, or what is left of it

CUT = Cut(
    anchor=b"media_end_categorize",
    end=re.compile(rb'<div (?:id="channelBanner"|class="(?:media_end_linked|promotion)")'),
    parts=(HEAD, FRAME, BODY, CATEGORIES),
    optional=(BYLINE,),
)

SECTIONS = {
    "100": "정치",
    "101": "경제",
    "102": "사회",
    "103": "생활/문화",
    "104": "세계",
    "105": "IT/과학",
    "110": "오피니언",
}

_ARTICLE_SCRIPT = re.compile(r"var\s+article\s*=\s*\{([^{}]*)")
_OFFICE_SCRIPT = re.compile(r"var\s+office\s*=\s*\{([^{}]*)")
_SHOWN = re.compile(r"오[전후] \d")
_FIELD = re.compile(r'\b(officeId|articleId|sectionId|name)\s*:\s*("(?:[^"\\\n]|\\.)*")')


def parse(tree: LexborHTMLParser, key: ArticleKey, url: str) -> tuple[Article, Iterator[str]]:
    """Parse a page of this layout. The second value iterates over its marks for the drift alarm, computed lazily.

    Raises LayoutChanged, which names the selector that matches nothing.
    """
    head: Scope = tree.css_first(HEAD) or tree
    body = required(tree, BODY, url=url, layout=PARSER)
    script = _script_fields(tree, _ARTICLE_SCRIPT)
    own_key(key, _script_key(script), tree, url=url, layout=PARSER)
    title = title_of(head, TITLE, url=url, layout=PARSER)
    words = body_of(body)
    byline_frame, categories_frame = byline_and_categories(tree, CATEGORIES)
    named = categories_of(categories_frame, CATEGORY)
    images = photos(body)
    logo = first_attribute(head, PRESS_LOGO, "alt")
    publisher = logo or _publisher(tree, url)
    byline = byline_of(byline_frame) or _reporters(head) or find_byline(words.text, publisher)
    published = required(head, PUBLISHED, url=url, layout=PARSER)
    parsed = Article(
        key=key,
        title=title,
        subtitle=words.subtitle,
        body=words.whole,
        publisher=publisher,
        published_at=_time(published, PUBLISHED_AT, url),
        modified_at=_modified_at(head, url),
        byline=byline,
        authors=authors_of(byline, words.text),
        categories=named or _section(script),
        original_url=_original_url(head),
        images=images,
        kind=kind_of(title, words.whole, images, tree.css_first(FRAME) or body),
        parser=PARSER,
    )
    places = _places(script, logo=bool(logo), named=bool(named), byline=byline_frame is not None)
    return parsed, chain(places, cross_checks(parsed, tree), _shapes(parsed, body, published))


def _places(script: dict[str, str], *, logo: bool, named: bool, byline: bool) -> Iterator[str]:
    """Where fields were found that can be in several places."""
    yield "press from the logo" if logo else "press from elsewhere"
    yield "categories of the press" if named else "category from the section"
    yield "byline with a part of its own" if byline else "no part for a byline"
    yield from (f"var article: {name}" for name in script)


def _shapes(article: Article, body: LexborNode, published: LexborNode) -> Iterator[str]:
    """The shapes of the parts that were read, and signs that something was left out."""
    yield from shape("body", body)
    yield from left_out(article, body)
    yield from beside("the body", body)
    if body.parent is not None and body.parent.tag != "body":
        yield from beside("the body's frame", body.parent, CATEGORIES[1:])
    read = article.published_at.replace(second=0) if article.published_at else None
    yield agrees("the time that is shown", "the one that is read", yes=parse_twelve_hours(one_line(published)) == read)
    if article.modified_at is None and _shows_two_times(published):
        yield "a second time, not read"


def _shows_two_times(published: LexborNode) -> bool:
    frame = published.parent.parent if published.parent is not None else None
    return frame is not None and len(_SHOWN.findall(frame.text())) > 1


def _publisher(tree: LexborHTMLParser, url: str) -> str:
    """The press office, if there is no logo."""
    name = _script_fields(tree, _OFFICE_SCRIPT).get("name", "") or author_meta(tree)
    if not name:
        raise LayoutChanged(f"{PRESS_LOGO} (or var office, or og:article:author)", url=url, layout=PARSER)
    return name


def _modified_at(head: Scope, url: str) -> datetime | None:
    node = head.css_first(MODIFIED)
    return None if node is None else _time(node, MODIFIED_AT, url)


def _time(node: LexborNode, name: str, url: str) -> datetime:
    stamp = attribute(node, name)
    time = parse_stamp(stamp)
    if time is None:
        raise LayoutChanged(f"span[{name}]", url=url, layout=PARSER, detail=f"{stamp[:40]!r} is no time")
    return time


def _reporters(head: Scope) -> str:
    names = [one_line(node) for node in outermost(head, REPORTER)]
    return ", ".join(dict.fromkeys(name for name in names if name))


def _section(script: dict[str, str]) -> tuple[str, ...]:
    """The section's name, for pages without categories."""
    section = SECTIONS.get(script.get("sectionId", ""))
    return (section,) if section else ()


def _original_url(head: Scope) -> str | None:
    href = first_attribute(head, ORIGINAL, "href")
    return clean_original_url(href) if href else None


def _script_key(script: dict[str, str]) -> str | None:
    oid, aid = script.get("officeId"), script.get("articleId")
    return f"{oid}_{aid}" if oid and aid else None


def _script_fields(tree: LexborHTMLParser, pattern: re.Pattern[str]) -> dict[str, str]:
    """The text fields of `var article = {…}` or `var office = {…}`, as far as the first inner object."""
    scripts = tree.head.css(SCRIPT) if tree.head is not None else []
    matches = (pattern.search(script.text()) for script in scripts)
    match = next((match for match in matches if match), None)
    return {field[1]: _string(field[2]) for field in _FIELD.finditer(match[1])} if match else {}


def _string(literal: str) -> str:
    try:
        return html.unescape(storable(str(json.loads(literal)))).strip()
    except ValueError:
        return literal[1:-1].strip()  # JavaScript has escapes that JSON lacks
