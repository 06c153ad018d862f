"""A sports or entertainment article as JSON, from api-gw.sports or api-gw.entertain: `sports_json/2`.

    result.articleInfo.article.{officeId, articleId, title, content, serviceDatetime, modifyDatetime, sections}
    result.articleInfo.journalistCards
    result.officeInfo.hname

Only the first 300 characters of one answer are known, so journalist cards and sections are read leniently.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any
from urllib.parse import urlsplit

from flows.naver.articles.bylines import authors_of, find_byline
from flows.naver.articles.page_parts import body_of, headline, kind_of, photos
from flows.naver.clock import parse_stamp
from flows.naver.decoding import decode
from flows.naver.lines import storable
from flows.naver.partial_tree import build_tree
from flows.naver.traits import left_out, shape
from flows.naver.urls import clean_original_url
from schemas.article import Article, ArticleKey
from schemas.errors import ArticleGone, LayoutChanged, TemporarilyUnavailable

PARSER = "sports_json/2"

INFO = ("result", "articleInfo")
ARTICLE = (*INFO, "article")
OFFICE = ("result", "officeInfo", "hname")
CARDS = (*INFO, "journalistCards")

_NAME_FIELDS = ("name", "journalistName", "reporterName")
_SECTION_FIELDS = ("sectionName", "name")
_ORIGINAL_FIELDS = ("originalUrl", "originUrl", "orgUrl")
_MOST_KEYS, _LONGEST_KEY = 40, 80
_SITES = {"sports": "스포츠", "entertain": "연예"}


def parse(content: bytes, key: ArticleKey, url: str) -> tuple[Article, Iterator[str]]:
    """Parse an answer. The second value iterates over its marks for the drift alarm, computed lazily.

    Raises LayoutChanged, ArticleGone, TemporarilyUnavailable.
    """
    answer = _loaded(content, url)
    _check_success(answer, url)
    article = _find(answer, ARTICLE)
    if not isinstance(article, dict):
        raise LayoutChanged(".".join(ARTICLE), url=url, layout=PARSER)
    _check_key(article, key, url)
    title = _title(article, url)
    tree = build_tree(f"<body>{_text(article, 'content', url, empty=True)}".encode(), url)
    body = tree.body
    if body is None:
        raise LayoutChanged(".".join((*ARTICLE, "content")), url=url, layout=PARSER)
    words = body_of(body)
    publisher = _publisher(answer, url)
    published, modified = _time(article, "serviceDatetime", url), _modified_at(article, url)
    byline = _byline(answer) or find_byline(words.text, publisher)
    images = photos(body)
    parsed = Article(
        key=key,
        title=title,
        subtitle=words.subtitle,
        body=words.whole,
        publisher=publisher,
        published_at=published,
        modified_at=modified if modified != published else None,
        byline=byline,
        authors=authors_of(byline, words.text),
        categories=_categories(article, url),
        original_url=_original_url(article),
        images=images,
        kind=kind_of(title, words.whole, images, body),
        parser=PARSER,
    )
    return parsed, chain(left_out(parsed, body), shape("body", body), _keys(answer))


def _keys(answer: Any) -> Iterator[str]:
    """The keys of the records that are read, so that renamed keys are noticed."""
    records: tuple[tuple[str, ...], ...] = (("result",), INFO, ARTICLE, OFFICE[:-1])
    for record in records:
        yield from _keys_of(record[-1], _find(answer, record))
    for path in (CARDS, (*ARTICLE, "sections")):
        entries = _find(answer, path)
        yield from _keys_of(f"{path[-1]}[0]", entries[0] if isinstance(entries, list) and entries else None)


def _keys_of(name: str, record: Any) -> Iterator[str]:
    entries = record.items() if isinstance(record, dict) else ()
    for key, value in islice(entries, _MOST_KEYS):
        yield f"key {name}.{key}"[:_LONGEST_KEY] + f" ({'empty' if value in (None, '', []) else type(value).__name__})"


def _loaded(content: bytes, url: str) -> Any:
    try:
        return json.loads(decode(content))
    except (ValueError, RecursionError) as error:
        raise LayoutChanged("a JSON answer", url=url, layout=PARSER, detail=str(error)) from error


def _check_success(answer: Any, url: str) -> None:
    """`code` is an HTTP status inside the answer; an answer without one is judged by its content."""
    code = _find(answer, ("code",))
    if not isinstance(code, int):
        return
    if code in {404, 410}:
        raise ArticleGone(f"code {code}", url=url)
    if code == 429 or code >= 500:
        raise TemporarilyUnavailable(f"code {code}", url=url)


def _check_key(article: dict[str, Any], key: ArticleKey, url: str) -> None:
    parts = (article.get("officeId"), article.get("articleId"))
    named = "_".join(str(part) if isinstance(part, str | int) else "?" for part in parts)
    if named != key.id:
        detail = f"the answer's own is {named[:40]!r}"
        raise LayoutChanged(f"officeId_articleId = {key.id}", url=url, layout=PARSER, detail=detail)


def _find(answer: Any, path: Sequence[str]) -> Any:
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def _text(article: dict[str, Any], name: str, url: str, *, empty: bool = False) -> str:
    value = article.get(name)
    if not isinstance(value, str) or not (empty or value.strip()):
        raise LayoutChanged(".".join((*ARTICLE, name)), url=url, layout=PARSER)
    return storable(value)


def _title(article: dict[str, Any], url: str) -> str:
    text = html.unescape(_text(article, "title", url))
    title = " ".join(line for piece in text.splitlines() if (line := piece.strip()))
    return headline(title, ".".join((*ARTICLE, "title")), url=url, layout=PARSER)


def _time(article: dict[str, Any], name: str, url: str) -> datetime:
    stamp = _text(article, name, url)
    time = parse_stamp(stamp)
    if time is None:
        detail = f"{stamp[:40]!r} is no time"
        raise LayoutChanged(".".join((*ARTICLE, name)), url=url, layout=PARSER, detail=detail)
    return time


def _modified_at(article: dict[str, Any], url: str) -> datetime | None:
    return _time(article, "modifyDatetime", url) if article.get("modifyDatetime") else None


def _publisher(answer: Any, url: str) -> str:
    name = _find(answer, OFFICE)
    if not isinstance(name, str) or not name.strip():
        raise LayoutChanged(".".join(OFFICE), url=url, layout=PARSER)
    return storable(name.strip())


def _byline(answer: Any) -> str:
    return ", ".join(dict.fromkeys(_card_lines(_find(answer, CARDS))))


def _card_lines(cards: Any) -> Iterator[str]:
    for card in cards if isinstance(cards, list) else ():
        if name := _first_text(card, _NAME_FIELDS):
            email = _first_text(card, ("email",))
            yield f"{name}({email})" if email else name


def _categories(article: dict[str, Any], url: str) -> tuple[str, ...]:
    sections = article.get("sections")
    names = [_section_name(section) for section in sections] if isinstance(sections, list) else []
    named = tuple(dict.fromkeys(name for name in names if name))
    return named or _site_category(url)


def _section_name(section: Any) -> str:
    return storable(section).strip() if isinstance(section, str) else _first_text(section, _SECTION_FIELDS)


def _site_category(url: str) -> tuple[str, ...]:
    labels = (urlsplit(url).hostname or "").split(".")
    return tuple(name for label, name in _SITES.items() if label in labels)


def _original_url(article: dict[str, Any]) -> str | None:
    address = _first_text(article, _ORIGINAL_FIELDS)
    return clean_original_url(address) if address else None


def _first_text(record: Any, names: Sequence[str]) -> str:
    values = [record.get(name) for name in names] if isinstance(record, dict) else []
    texts = (storable(value.strip()) for value in values if isinstance(value, str))
    return next((text for text in texts if text), "")
