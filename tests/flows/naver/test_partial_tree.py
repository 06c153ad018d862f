# ruff: noqa: E501 (markup reads best on one line)
"""The proof that reading only the beginning of a page gives what reading the whole page gives."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flows.naver.articles import nnews_page, read_nhn_page
from flows.naver.articles.layouts import parse_article, parse_whole_page
from flows.naver.partial_tree import partial_tree
from schemas.article import Article
from schemas.errors import ParseError
from tests.support.naver import layouts
from tests.support.paths import CAPTURES

NOISE = "<div class='ofhe'>" + "다른 기사의 글이다. " * 50 + "</div>"
PAGES = {
    "today": layouts.article(
        f"{layouts.FRAMED_PHOTO}{layouts.BODY}",
        byline=layouts.byline("홍길동 기자(a@b.kr)"),
        modified=layouts.MODIFIED,
    ),
    "2022": layouts.article(open='<div id="dic_area">', close="</div>", tail='<div id="channelBanner"></div>' + NOISE),
    "no byline": layouts.article(
        tail='<div class="promotion"></div>' + layouts.byline("김다른 기자") + layouts.categories("연예")
    ),
    "old": layouts.read_nhn(),
}


def outcome(parse: Callable[[bytes, str], Article], content: bytes) -> Article | str:
    try:
        return parse(content, layouts.URL)
    except ParseError as error:
        return repr(error)


def check(text: str, encoding: str = "utf-8") -> None:
    content = text.encode(encoding, "replace")
    assert outcome(parse_article, content) == outcome(parse_whole_page, content)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_of_all_layouts_are_cut(name: str, encoding: str) -> None:
    content, cut = PAGES[name].encode(encoding), (read_nhn_page if name == "old" else nnews_page).CUT
    assert partial_tree(content, cut) is not None
    assert isinstance(outcome(parse_article, content), Article)
    check(PAGES[name], encoding)


FALSE = (
    '<div class="article_header"><h3 id="articleTitle">거짓</h3></div><div id="articleBodyContents">거짓</div>'
    f'{layouts.byline("김거짓 기자")}<div class="guide_categorization"><em class="guide_categorization_item">거짓</em></div>'
)
TRAPS = {
    "a comment swallows the cut": layouts.article(
        categories=layouts.categories("IT") + "<!-- ", tail='<div class="media_end_linked">--></div>'
    ),
    "a comment holds anchor and end": layouts.article(
        url='<!-- media_end_categorize <div class="media_end_linked"> --><meta property="og:url" content="x">'
    ),
    "a script holds anchor and end": layouts.article(
        script=layouts.script() + """<script>var t = 'media_end_categorize <div class="media_end_linked">';</script>"""
    ),
    "an attribute holds anchor and end": layouts.article(
        original="<a title='media_end_categorize <div class=\"media_end_linked\">'>x</a>"
    ),
    "the body never ends": layouts.article(close="", open='<article id="dic_area"><article>'),
    "the body never ends, and the tail adds to it": layouts.article(
        close="", open="<article id='dic_area'><section><b>"
    ),
    "a table around the body": layouts.article(open='<table><tr><td><article id="dic_area">', close="</article>"),
    "a table is never closed": layouts.article(
        categories=layouts.categories("IT") + "<table><tr>",
        tail='<div class="media_end_linked"></div><article id="dic_area">거짓</article>',
    ),
    "what comes later is put before an open table": layouts.article(
        url="</head><body><table><tr><td>",
        categories=layouts.categories("IT") + "</td></tr>",
        tail='<div class="media_end_linked"></div><div class="media_end_head"><h2 class="media_end_head_headline">거짓</h2></div>',
    ),
    "a layout table that the rest goes on with": layouts.article(
        url="</head><body><table><tr><td>",
        tail='<div class="media_end_linked"></div></td></tr><div class="media_end_head"><h2 class="media_end_head_headline">거짓</h2></div>',
    ),
    "a layout table with the mark inside": layouts.article(
        url="</head><body><table><tr><td>",
        categories=layouts.categories("IT") + '<wbr id="seogo-cut"></div></div></td><div title="',
        tail='<div class="media_end_linked">"></div></td></tr><div class="media_end_head"><h2 class="media_end_head_headline">거짓</h2></div>',
    ),
    "a byline that never ends": layouts.article(
        url='<div class="byline"><p class="byline_p"><span class="byline김거짓 기자</span></p></div>',
        tail='<div class="media_end_linked"></div><span class="byline_s">김다른 기자</span>',
    ),
    "a tag takes the mark for its own": layouts.article(
        categories='<div class="media_end_categorize" <div id="channelBanner">' + layouts.categories("IT"),
    ),
    "a tag like the mark takes it for its own": layouts.article(
        categories=layouts.categories("IT") + '<wbr <div id="channelBanner">',
        tail="</div></div><article id='dic_area'>거짓</article>",
    ),
    "another layout behind": layouts.read_nhn() + '<article id="dic_area">거짓</article>',
    "the old layout behind": layouts.article(
        tail='<div class="media_end_linked"></div><h3 id="articleTitle">거짓</h3>'
    ),
    "a table before all": layouts.article(url="</head><body><table>"),
    "a template swallows the cut": layouts.article(byline="<template>"),
    "a style swallows the cut": layouts.article(byline="<style>"),
    "a text area swallows the cut": layouts.article(byline="<textarea>"),
    "an svg is open": layouts.article(byline="<svg><foreignObject>"),
    "a select is open": layouts.article(byline="<select><option>"),
    "bold text is open": layouts.article(
        "<b><i>굵은 글<p>뒤", categories=layouts.categories("IT"), tail='<div class="media_end_linked"></b></i></p>'
    ),
    "the mark is on the page": layouts.article(
        categories=layouts.categories("IT") + '<wbr id="seogo-cut"><div title="',
        tail='<div class="media_end_linked">"></div>',
    ),
    "two bodies": layouts.article(tail='<div class="media_end_linked"></div><article id="dic_area">거짓</article>'),
    "a byline behind": layouts.article(tail='<div class="media_end_linked"></div>' + layouts.byline("김거짓 기자")),
    "plain text is open": layouts.article(byline="<plaintext>"),
    "a frame set": layouts.article(tail='<div class="media_end_linked"></div><frameset></frameset>'),
    "the old page in a comment": layouts.read_nhn(before='<!-- "guide_categorization" -->'),
    "the old page, body open": layouts.read_nhn("<div>글"),
    "both layouts": layouts.read_nhn(before=layouts.article()),
    **{
        f"the old page, {what}": layouts.read_nhn(tail=tail)
        for what, tail in {
            "a second one in front of its table": f"</td>{FALSE}</tr></table>",
            "in front of it behind a comment": f"</td> <!-- <td> --> {FALSE}<td></td></tr></table>",
            "in front of it behind half a comment": f"</td><!-->{FALSE}--><td></td></tr></table>",
            "in front of it behind an odd comment": f"</td><!-- --!>{FALSE}--><td></td></tr></table>",
            "in front of it between the rows": f"</td></tr>{FALSE}<tr><td></td></tr></table>",
            "in front of it in capital letters": f"</TD>{FALSE}</TR></TABLE>",
            "in front of it after an attribute": f"</td></tr><tr title='>'>{FALSE}<td></td></tr></table>",
            "in front of it behind a sign in an attribute": f"</td></tr><tr title='<'>{FALSE}<td></td></tr></table>",
            "in front of a table of its own": f"<table><tr>{FALSE}<td></td></tr></table></td></tr></table>",
            "in front of it behind what is no cell": f"</td><td{FALSE} x><td></td></tr></table>",
            "behind its table": f"</td></tr></table>{FALSE}",
            "in the next cell": f"</td><td>{FALSE}</td></tr></table>",
            "cut short": "</td><td",
            "in a script": f"</td><td><script>'</td>{FALSE}'</script></td></tr></table>",
        }.items()
    },
    "the old page in two tables": layouts.read_nhn(before="<table><tr><td>"),
    "the old page in no cell": layouts.read_nhn().replace("<td class", "<!-- td class", 1).replace(">", "-->", 1),
    "the old page, and all its categories behind": layouts.read_nhn(
        tail='<div class="guide_categorization">거짓</div>'
    ),
}


@pytest.mark.parametrize("name", TRAPS)
def test_traps(name: str) -> None:
    check(TRAPS[name])
    check(TRAPS[name], "cp949")


PIECES = [
    "media_end_categorize",
    '<div class="media_end_categorize">',
    '<em class="media_end_categorize_item">거짓</em>',
    '<div id="channelBanner">',
    '<div class="media_end_linked">',
    '<article id="dic_area">거짓</article>',
    '<div id="newsct_article">',
    '<div class="media_end_head"><h2 class="media_end_head_headline">거짓</h2></div>',
    layouts.byline("김거짓 기자"),
    layouts.script(aid="0000000000"),
    "</article>",
    "</div>",
    "</div></div></div></div>",
    "<div>",
    "<table>",
    "</table>",
    "<td>",
    "<b>",
    "</b>",
    "<a href=x>",
    "<p>",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<template>",
    "</template>",
    "<textarea>",
    "</body>",
    "</html>",
    "<head>",
    "<svg>",
    "<select>",
    '"',
    "'",
    "<",
    ">",
    "글",
    '<wbr id="seogo-cut">',
    '"guide_categorization"',
    FALSE,
    "</td>",
    "<tr>",
    "</tr>",
    "</table><table>",
    '<div class="end_btn">',
    '<h3 id="articleTitle">거짓</h3>',
    '<div class="vod_player_wrap"></div>',
]

edits = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "double"]), st.floats(0, 1), st.sampled_from(PIECES), st.integers(1, 80)
    ),
    min_size=1,
    max_size=6,
)


def mutilated(text: str, changes: list[tuple[str, float, str, int]]) -> str:
    """The page with pieces put in (half of them where a tag begins), or some of its own cut out or doubled."""
    for how, where, piece, length in changes:
        at = text.rfind("<", 0, int(where * len(text)) + 1) if length % 2 else int(where * len(text))
        at = max(at, 0)
        if how == "insert":
            text = text[:at] + piece + text[at:]
        elif how == "delete":
            text = text[:at] + text[at + length :]
        else:
            text = text[:at] + text[at : at + length * 8] * 2 + text[at + length * 8 :]
    return text


@settings(max_examples=400)
@given(page=st.sampled_from(sorted(PAGES)), changes=edits)
def test_mutilated_pages(page: str, changes: list[tuple[str, float, str, int]]) -> None:
    text = mutilated(PAGES[page], changes)
    assume(not text.lstrip().startswith("{"))  # that would be JSON
    check(text)


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not part of the project")
@pytest.mark.parametrize("name", [path.name for path in sorted(CAPTURES.glob("read_*.html.gz"))])
def test_retired_captures_are_cut_as_they_were_sent(name: str) -> None:
    content = gzip.decompress((CAPTURES / name).read_bytes())
    assert partial_tree(content, read_nhn_page.CUT) is not None


def captured_page() -> str:
    path = CAPTURES / "nnews_article_421_0008770777_202602.html.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    # The middle of the tail is of no interest here, and would make each example slow.
    return text[:45_000] + text[-5_000:]


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not part of the project")
@settings(max_examples=60)
@given(changes=edits)
def test_a_mutilated_capture(changes: list[tuple[str, float, str, int]]) -> None:
    content = mutilated(captured_page(), changes).replace("0008770777", layouts.AID).replace('"421"', '"123"')
    assume(not content.lstrip().startswith("{"))
    check(content.replace("article/421/", "article/123/"))
