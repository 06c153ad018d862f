"""The marks of a page: accurate, the same for every way to build the tree, and of limited number."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from flows.naver.articles import nnews_page
from flows.naver.articles.layouts import parse_article, read_article
from flows.naver.partial_tree import page_tree
from flows.naver.traits import MOST_MARKS, beside, cross_checks, make_traits, name_of, shape
from flows.naver.urls import article_key
from flows.replica.corpus.articles import Layout
from schemas.article import Author, Image
from schemas.traits import Traits
from tests.support.drift import LOOKS, samples
from tests.support.naver import layouts
from tests.support.paths import CAPTURES
from tests.support.values import PUBLISHED, article

NAMES = ("nnews_article_082_0001252309_202401.html.gz", "nnews_article_421_0008770777_202602.html.gz")
FOR_IT = {"og:title is the title", "og:description is the body's beginning", "og:article:author is the publisher"}


def marks(**given: Any) -> frozenset[str]:
    return make_traits(article(**given), ()).marks


def whole(content: bytes, url: str) -> Traits:
    article, found = nnews_page.parse(page_tree(content, url), article_key(url), url)
    return make_traits(article, found)


@pytest.mark.parametrize("look", LOOKS)
def test_traits_come_with_the_article_that_parse_article_gives(look: Layout) -> None:
    for one in samples(look, 12, 20):
        assert parse_article(one.content, one.url) == one.article
        assert one.traits.press == one.article.key.oid
        assert one.traits.layout == one.article.parser
        assert not [mark for mark in one.traits.marks if " is not " in mark]


@pytest.mark.parametrize("look", LOOKS[:4])
def test_a_part_of_the_page_gives_the_traits_of_the_whole(look: Layout) -> None:
    for one in samples(look, 12, 20):
        assert whole(one.content, one.url) == one.traits


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not part of the project")
@pytest.mark.parametrize("name", NAMES)
def test_captured_pages_have_the_marks_of_their_articles(name: str) -> None:
    content = gzip.decompress((CAPTURES / name).read_bytes())
    oid, aid = name.split("_")[2:4]
    url = f"https://n.news.naver.com/mnews/article/{oid}/{aid}"
    traits = read_article(content, url)[1]
    assert traits.marks >= FOR_IT | {"the time that is shown is the one that is read", "press from the logo"}
    assert not [mark for mark in traits.marks if " is not " in mark]
    assert whole(content, url) == traits


@pytest.mark.parametrize(
    ("mark", "given"),
    [
        ("title without Hangul", {"title": "undefined"}),
        ("body without Hangul", {"body": "lorem ipsum dolor"}),
        ("title twice", {"title": "서고의 하루 서고의 하루"}),
        (
            "the last line begins as a first one does",
            {"body": f"끝이다.\n\n(서울=가람통신) 김가온 기자 = {'가 나다 ' * 9}"},
        ),
        ("the last line begins as a first one does", {"body": f"끝이다.\n\n[가람경제 김가온 기자] {'가 나다 ' * 9}"}),
        ("section IT", {"categories": ("IT",)}),
        ("hardly a space in the text", {"body": "띄어쓰기가없는글이다" * 3}),
        ("characters that could not be decoded", {"body": "서고\ufffd의 하루"}),
        ("markup in the text", {"title": "‘서고’ &amp; 하루"}),
        ("markup in the text", {"body": "서고의<br>하루"}),
        ("byline names nobody", {"authors": ()}),
        ("publisher without letters", {"publisher": "701"}),
        ("original at Naver", {"original_url": "https://cr.naver.com/x?u=1"}),
        ("original without a path", {"original_url": "https://seogo.example/"}),
        ("category that is no section's name", {"categories": ("구독",)}),
        ("modified before it was published", {"modified_at": PUBLISHED - timedelta(days=1)}),
        ("published at midnight", {"published_at": PUBLISHED.replace(hour=0, minute=0, second=0)}),
        ("pictures of another day than the article", {"images": (Image("https://x/2001/02/03/1.jpg"),)}),
        ("image without caption", {"images": (Image("https://x/1.jpg"),)}),
        ("author without e-mail", {"authors": (Author("김가온"),)}),
        ("line: 로그인 후 볼 수 있습니다.", {"body": f"{'가 나다 ' * 20}\n\n로그인 후 볼 수 있습니다."}),
        ("title ends: | 뉴스", {"title": "서고의 하루 | 뉴스"}),
        ("title begins: 기사 제목:", {"title": "기사 제목: 서고의 하루"}),
    ],
)
def test_a_doubt_or_an_echo_is_marked_only_where_it_applies(mark: str, given: dict[str, Any]) -> None:
    assert mark in marks(**given)
    assert mark not in marks()


@pytest.mark.parametrize(
    ("mark", "old", "new"),
    [
        ("no caption read, though there is a caption's markup", 'class="end_photo_org"', 'class="photo"'),
        ("the part for a byline is not the byline", 'class="byline_s"', 'class="line"'),
        ("no image read, though there is a picture's markup", "data-src=", "data-later="),
    ],
)
def test_parts_that_are_present_but_not_parsed_are_marked(mark: str, old: str, new: str) -> None:
    pages = [
        one
        for one in samples(Layout.Y2024 if "caption" in mark else Layout.Y2022, 12, 60)
        if old.encode() in one.content
    ]
    assert pages
    assert not [one for one in pages if mark in one.traits.marks]
    changed = [read_article(one.content.replace(old.encode(), new.encode()), one.url)[1] for one in pages]
    assert [one for one in changed if mark in one.marks]


def page_described(description: str, **given: Any) -> frozenset[str]:
    tree = LexborHTMLParser(f'<head><meta property="og:description" content="{description}"></head>')
    return frozenset(cross_checks(article(**given), tree))


def test_a_gallery_is_described_by_a_caption_and_a_video_by_its_title() -> None:
    agrees, contradicts = ({f"og:description is {word}the body's beginning"} for word in ("", "not "))
    pictures = (Image("https://x/1.jpg", "서고의 아침"), Image("https://x/2.jpg", "서고의 저녁"))
    assert page_described("서고의 저녁", body="", images=pictures) == agrees
    assert page_described("서고의 하루", title="서고의 하루", body="") == agrees
    assert page_described("서고의 하루", title="서고의 하루", body="다른 글이다.") == contradicts
    assert page_described("서고의 밤", body="", images=pictures) == contradicts


def test_texts_that_share_their_longest_lines_share_a_number() -> None:
    body = "\n\n".join(f"{number}번째 문단이다. " * 12 for number in range(4))
    first, copy = (make_traits(article(body=f"{lead}\n\n{body}"), ()).sketch for lead in ("서두.", "다른 서두."))
    other = make_traits(article(body=body.replace("문단", "단락")), ()).sketch
    assert set(first) & set(copy)
    assert not set(first) & set(other)


@pytest.mark.parametrize(
    ("markup", "name"),
    [
        ('<em class="img_desc">', "<em.img_desc>"),
        ('<div id="img_a12" class="">', "<div#img_a>"),
        ('<div class="Layout_wrap__3kPq7 x">', "<div.Layout_wrap>"),
        ("<div class=\"nclicks(are.ori,'029')\">", "<div.nclicks>"),
        ('<div class="123">', "<div>"),
        ("<section>", "<section>"),
    ],
)
def test_an_element_is_named_without_numbers_and_hashes(markup: str, name: str) -> None:
    body = LexborHTMLParser(f"<body>{markup}").body
    assert body is not None
    assert body.first_child is not None
    assert name_of(body.first_child) == name


def test_shapes_of_an_element_and_of_its_siblings() -> None:
    tree = LexborHTMLParser('<div id="a">글<br><p><b>굵게</b></p></div> <i>뒤</i>글<hr class="end"><u>x</u>')
    node = tree.css_first("#a")
    assert node is not None
    assert list(shape("body", node)) == ["body: in <div#a>", "body: <b>", "body: <p>"]
    assert list(beside("it", node, "end")) == ["behind it: <i>", "behind it: text"]


def test_a_hostile_page_has_marks_of_limited_number_and_length() -> None:
    body = "".join(f'<x{at} class="{"k" * 500}{at:x}">짧은 줄 {at}</x{at}><br>' for at in range(600))
    page = layouts.article(body).encode()
    found = read_article(page, layouts.URL)[1].marks
    assert len(found) <= MOST_MARKS
    assert max(map(len, found)) < 120


def test_keys_of_an_answer_are_marked_with_the_type_of_their_values() -> None:
    first = samples(Layout.SPORTS, 12, 20)[0]
    assert {"key article.title (str)", "key sections[0].name (str)", "key officeInfo.hname (str)"} <= first.traits.marks
    emptied = re.sub(rb'"originUrl": "[^"]*"', b'"originUrl": null', first.content)
    found = read_article(emptied, first.url)[1].marks
    assert "key article.originUrl (empty)" in found
    assert replace(parse_article(emptied, first.url), original_url=first.article.original_url) == first.article
