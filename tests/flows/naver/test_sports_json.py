"""Sports and entertainment articles, which come as JSON."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.naver.articles.layouts import parse_article
from schemas.article import SEOUL, Article, Author, Kind
from schemas.errors import ArticleGone, LayoutChanged, ParseError, TemporarilyUnavailable
from tests.support.naver import layouts

SPORTS = f"https://m.sports.naver.com/kbaseball/article/{layouts.OID}/{layouts.AID}"
ENTERTAIN = f"https://api-gw.entertain.naver.com/news/article/{layouts.OID}/{layouts.AID}"


def parse(answer: Any, url: str = SPORTS) -> Article:
    return parse_article(json.dumps(answer, ensure_ascii=False).encode(), url)


def test_a_sports_article() -> None:
    article = parse(layouts.sports())
    assert article.title == '서고 타이거즈, "7연승"'
    assert article.body == "▲ 전적(7일)\n서고 100 400 070 - 12\n\n서고가 이겼다."
    assert article.publisher == "서고스포츠"
    assert article.authors == (Author("홍길동", "hong@seogo.example"),)
    assert article.published_at == datetime(2026, 10, 7, 22, 11, 33, tzinfo=SEOUL)
    assert article.modified_at == datetime(2026, 10, 7, 22, 12, 20, tzinfo=SEOUL)
    assert [image.caption for image in article.images] == ["사진 설명이다."]
    assert (article.categories, article.kind, article.parser) == (("스포츠",), Kind.TEXT, "sports_json/2")


def test_an_entertainment_article_with_several_cards_and_sections() -> None:
    answer = layouts.sports(sections=[{"name": "방송"}, {"sectionName": "가요"}, {"id": 3}])
    answer["result"]["articleInfo"]["journalistCards"] = [
        {"journalistName": "홍길동 기자"},
        {"name": "김철수", "email": ""},
        None,
    ]
    article = parse(answer, ENTERTAIN)
    assert article.authors == (Author("홍길동"), Author("김철수"))
    assert article.categories == ("방송", "가요")
    assert parse(layouts.sports(sections=None), ENTERTAIN).categories == ("연예",)


def test_an_answer_without_cards_takes_the_credit_in_the_text() -> None:
    answer = layouts.sports(content="(서울=서고통신) 김철수 기자 = 서고가 이겼다.")
    del answer["result"]["articleInfo"]["journalistCards"]
    assert parse(answer).authors == (Author("김철수"),)


def test_an_edit_in_the_second_of_publication_is_none() -> None:
    assert parse(layouts.sports(modifyDatetime="2026-10-07 22:11:33")).modified_at is None
    assert parse(layouts.sports(modifyDatetime=None)).modified_at is None


def test_markup_in_the_content_cannot_get_out_of_it() -> None:
    article = parse(
        layouts.sports(content='앞.</div></body></html><h2 class="media_end_head_headline">거짓</h2><!-- <br>뒤.')
    )
    assert article.title == '서고 타이거즈, "7연승"'
    assert article.body == "앞.\n\n거짓"


def test_half_a_character_can_be_stored() -> None:
    answer = json.dumps(layouts.sports(title="서고\ud83d", content="글\ud83d")).encode()
    article = parse_article(answer, SPORTS)
    assert (article.title, article.body) == ("서고?", "글?")


@pytest.mark.parametrize(
    ("field", "value", "selector"),
    [
        ("title", None, "result.articleInfo.article.title"),
        ("title", " &nbsp; ", "result.articleInfo.article.title"),
        ("content", None, "result.articleInfo.article.content"),
        ("serviceDatetime", "어제", "result.articleInfo.article.serviceDatetime"),
        ("modifyDatetime", "어제", "result.articleInfo.article.modifyDatetime"),
        ("articleId", "0000009999", "officeId_articleId = 123_0000004567"),
    ],
)
def test_what_is_missing_is_named(field: str, value: str | None, selector: str) -> None:
    with pytest.raises(LayoutChanged) as caught:
        parse(layouts.sports(**{field: value}))
    assert caught.value.selector == selector


def test_a_missing_publisher_is_named() -> None:
    answer = layouts.sports()
    answer["result"]["officeInfo"] = {}
    with pytest.raises(LayoutChanged, match=r"result\.officeInfo\.hname"):
        parse(answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"code": 404, "success": False}, ArticleGone),
        ({"code": 500, "success": False}, TemporarilyUnavailable),
        ({"code": 200, "success": True, "result": None}, LayoutChanged),
        ({"code": [404]}, LayoutChanged),
        ({}, LayoutChanged),
    ],
)
def test_an_answer_without_an_article(answer: Any, error: type[ParseError]) -> None:
    with pytest.raises(error):
        parse(answer)


@pytest.mark.parametrize("content", [b"{", b'{"a":' * 50_000, b"{}x", b'\xef\xbb\xbf{"code": "\xff"}'])
def test_what_is_no_json(content: bytes) -> None:
    with pytest.raises(LayoutChanged):
        parse_article(content, SPORTS)


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
)


@given(
    place=st.sampled_from(
        ["result", "articleInfo", "article", "officeInfo", "journalistCards", "title", "content", "sections"]
    ),
    value=values,
)
def test_any_value_in_any_place_is_an_article_or_a_named_fault(place: str, value: Any) -> None:
    answer: dict[str, Any] = layouts.sports()
    info = answer["result"]["articleInfo"]
    for record in (answer, answer["result"], info, info["article"]):
        if place in record or (place == "sections" and record is info["article"]):
            record[place] = value
    with contextlib.suppress(ParseError):
        assert parse(answer).title
