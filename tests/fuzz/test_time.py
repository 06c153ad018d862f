"""Four times the input takes about four times as long: no parser is quadratic in anything.

Each parser gets documents with a gap that is filled with a repeated unit, in two sizes. CPU time is measured, so that
other load on the machine does not count; very short times are not compared.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from flows.naver import markup_guard
from schemas.errors import SeogoError
from schemas.front_matter import dumps, from_article
from tests.fuzz.targets import TARGETS
from tests.support.naver import layouts

SMALL, LARGE = 25_000, 100_000  # bytes
UNCOMPARED = 0.025  # seconds
MOST = 8.0  # ratio of times for four times the bytes; that of a quadratic parser is 16
TRIES = 4

MARKUP = {
    "divs": "<div>",
    "spans": "<span>",
    "lists": "<ul><li>",
    "tables": "<table><tr><td>",
    "rows": "<tr><td>가",
    "ends of cells": "</td ",
    "comments between cells": "</td><!-- ",
    "cells in comments": "<!--</td>",
    "bold": "<p><b a№>x</p>",
    "bold in blocks": "<div><b a№></div>",
    "misnested": "<b><p></b>",
    "links": '<a href="https://n.news.naver.com/article/001/0000000001">가</a>',
    "photos": '<img src="https://imgnews.pstatic.net/1.jpg">',
    "framed": f'<span class="end_photo_org"><img src="{layouts.PHOTO}"></span>',
    "captions": '<em class="img_desc">가</em>',
    "subtitles": '<strong class="media_end_summary">가',
    "breaks": "<br>",
    "open tags": "<a ",
    "attributes": "a№='1' ",
    "an element's attributes": "<html a№>",
    "open quotes": "<a b=\"'",
    "comments": "<!--",
    "closed comments": "<!-- - -->",
    "scripts": "<script>var article = {",
    "end tags": "</div>",
    "lower": "<",
    "greater": ">",
    "entities": "&amp",
    "ampersands": "&",
    "sections": '<li class="sa_item"><a class="sa_text_title" href="/article/001/0000000001">가</a></li>',
    "rows of a list": '<ul class="type06"><li><a href="/article/001/0000000001">가</a></li></ul>',
    "titles": '<a data-heatmap-target=".tit" href="https://seogo.example/">가</a>',
    "hits": '<i data-sds-comp="Profile"><a href="https://n.news.naver.com/article/001/000000000№">가</a>',
    "words in links": "<a href='https://seogo.example/№'><b>가</b><i>나<u>다",
    "cuts": '<div class="media_end_linked">',
    "anchors": "media_end_categorize ",
}
TEXT = {
    "spaces": " ",
    "no-break spaces": "\xa0",
    "line breaks": "\n",
    "tabs": "\t \n",
    "digits": "1",
    "dashes": "-",
    "rules": "---\n",
    "keys": "title: x\n",
    "quotes": '"',
    "backslashes": "\\",
    "escaped quotes": 'name:"\\"',
    "brackets": "[",
    "braces": '{"a":',
    "round brackets": "(=",
    "addresses": "a@b.c ",
    "letters": "a.",
    "at": "@",
    "names": "홍길동 기자 ",
    "dotted names": "홍길동·",
    "particles": "가",
    "titles": "선임전문기자",
    "var": "var article ",
    "marks": "\u0315\u0300",
    "nul": "\0",
    "entities": "&#x",
    "amp": "&amp;",
    "dates": "date 2025-12-30\n",
    "slashes": "/",
    "percent": "%",
    "question": "?a=&",
    "percent and slash": "./../",
    "colons": ": #",
    "stars": "*a",
}


SCRIPT = "<script>var article = {%s</script>"


class Case(NamedTuple):
    """A parser, and a document with a gap for any number of units."""

    name: str
    run: Callable[[bytes], object]
    document: Callable[[str], bytes]
    units: dict[str, str]


def article_cases() -> Iterator[Case]:
    run, both = TARGETS["article"].run, MARKUP | TEXT
    yield Case("body", run, lambda fill: layouts.article(fill).encode(), both)
    yield Case("whole", run, lambda fill: fill.encode(), MARKUP)
    yield Case("tag", run, lambda fill: (f"<div {fill}>" + layouts.article()).encode(), {"attributes": "a№ "})
    yield Case("before", run, lambda fill: (fill + layouts.article()).encode(), MARKUP)
    yield Case("script", run, lambda fill: layouts.article(script=SCRIPT % fill).encode(), TEXT)
    yield Case("byline", run, lambda fill: layouts.article(byline=layouts.byline(fill)).encode(), TEXT)
    yield Case("categories", run, lambda fill: layouts.article(categories=layouts.categories(fill)).encode(), MARKUP)
    yield Case("old", run, lambda fill: layouts.read_nhn(fill).encode(), MARKUP)
    end = "--><td></td></tr></table>"
    yield Case("behind the old", run, lambda fill: layouts.read_nhn(tail=f"</td>{fill}{end}").encode(), MARKUP)
    yield Case("sports", run, lambda fill: json.dumps(layouts.sports(content=fill)).encode(), TEXT)
    yield Case("sports title", run, lambda fill: json.dumps(layouts.sports(title=fill)).encode(), TEXT)


def find_cases() -> Iterator[Case]:
    more = '{"renderedComponent": {"SECTION_ARTICLE_LIST": %s}}'
    item = {"title": "", "link": layouts.URL, "originallink": "", "pubDate": ""}
    yield Case("list", TARGETS["list"], lambda fill: f'<div class="list_body">{fill}</div>'.encode(), MARKUP)
    yield Case("section", TARGETS["section"], lambda fill: fill.encode(), MARKUP)
    yield Case("section_more", TARGETS["section_more"], lambda fill: (more % json.dumps(fill)).encode(), MARKUP)
    yield Case("search_page", TARGETS["search_page"], lambda fill: fill.encode(), MARKUP)
    yield Case(
        "search_api",
        TARGETS["search_api"],
        lambda fill: json.dumps({"items": [{**item, "description": fill, "pubDate": fill}]}).encode(),
        TEXT,
    )
    yield Case("api_error", TARGETS["api_error"], lambda fill: fill.encode(), TEXT)


def file_cases() -> Iterator[Case]:
    golden = TARGETS["front_matter"].seeds()[0].decode()
    head, _, tail = golden.partition("\ntitle: ")
    yield Case("front_matter body", TARGETS["front_matter"], lambda fill: (golden + fill).encode(), TEXT)
    yield Case(
        "front_matter title", TARGETS["front_matter"], lambda fill: f"{head}\ntitle: {fill}{tail}".encode(), TEXT
    )
    yield Case("front_matter whole", TARGETS["front_matter"], lambda fill: fill.encode(), TEXT)
    yield Case("plain_text", TARGETS["plain_text"], lambda fill: ("date 2025-12-30\n" + fill).encode(), TEXT)
    yield Case("plain_text whole", TARGETS["plain_text"], lambda fill: fill.encode(), TEXT)
    topic = {name: TEXT[name] for name in ("keys", "brackets", "spaces", "quotes", "addresses")}
    yield Case("topic", TARGETS["topic"], lambda fill: fill.encode()[: len(fill) * 3 // 5], topic)
    yield Case("relevance", TARGETS["relevance"], lambda fill: fill.encode(), TEXT)
    yield Case("written", _written, lambda fill: fill.encode(), TEXT)


def _written(data: bytes) -> object:
    from tests.support.values import NOW, article

    return dumps(from_article(article(title=data.decode(), byline=data.decode(), body=data.decode()), NOW))


def wire_cases() -> Iterator[Case]:
    yield Case("address", TARGETS["address"], lambda fill: fill.encode(), TEXT)
    yield Case("address path", TARGETS["address"], lambda fill: (layouts.URL + fill).encode(), TEXT)
    yield Case("robots", TARGETS["robots"], lambda fill: f"\nUser-agent: *\nDisallow: /{fill}".encode(), TEXT)
    yield Case("headers", TARGETS["headers"], lambda fill: fill.encode(), TEXT)
    yield Case("unpacking", TARGETS["unpacking"], lambda fill: f"{fill}\n".encode(), TEXT)


@pytest.fixture(autouse=True)
def _every_page_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also small ones, because scanning only the large document would look like non-linear growth."""
    monkeypatch.setattr(markup_guard, "_HARMLESS_TAGS", -1)


CASES = [*article_cases(), *find_cases(), *file_cases(), *wire_cases()]


def filled(unit: str, size: int) -> str:
    """About `size` bytes of units; `№` in a unit is replaced by its number."""
    times = size // len(unit.encode()) + 1
    return "".join(unit.replace("№", str(number)) for number in range(times)) if "№" in unit else unit * times


def seconds(case: Case, unit: str, size: int) -> float:
    document = case.document(filled(unit, size))
    start = time.process_time()
    with contextlib.suppress(SeogoError):
        case.run(document)
    return time.process_time() - start


def growth(case: Case, unit: str) -> float:
    """The ratio of the times for the large and the small document, 1 if both are short. The minimum of a few tries."""
    ratios = []
    for _ in range(TRIES):
        large = seconds(case, unit, LARGE)
        if large < UNCOMPARED:
            return 1.0
        ratios.append(large / seconds(case, unit, SMALL))
        if ratios[-1] < MOST:
            break
    return min(ratios)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_time_grows_with_the_input(case: Case) -> None:
    grown = {name: round(growth(case, unit), 1) for name, unit in case.units.items()}
    assert {name: times for name, times in grown.items() if times >= MOST} == {}
