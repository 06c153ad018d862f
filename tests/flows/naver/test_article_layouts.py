# ruff: noqa: E501 (markup reads best on one line)
"""Article pages that no capture shows, made up for what `naver.md` says of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.naver.articles.layouts import GONE_NOTICES, UNAVAILABLE_NOTICES, parse_article
from schemas.article import SEOUL, Article, Author, Image, Kind
from schemas.errors import AddressError, ArticleGone, LayoutChanged, ParseError, TemporarilyUnavailable
from tests.support.naver import layouts

PHOTO = Image("https://imgnews.pstatic.net/image/123/2026/10/01/0000004567_001.jpg?type=w860", "사진 설명이다.")


def parse(body: str = layouts.BODY, **parts: str) -> Article:
    return parse_article(layouts.article(body, **parts).encode(), layouts.URL)


def test_a_page_of_today() -> None:
    assert parse(modified=layouts.MODIFIED) == Article(
        key=parse().key,
        title="서고의 하루",
        body="첫 문단이다.\n\n둘째 문단이다.",
        publisher="서고일보",
        published_at=datetime(2026, 10, 1, 9, 8, 7, tzinfo=SEOUL),
        modified_at=datetime(2026, 10, 2, 0, 0, 1, tzinfo=SEOUL),
        parser="article_page/2",
        categories=("IT",),
        original_url="https://seogo.example/news/77?id=9",
    )


def test_a_page_of_2022_has_a_div_and_no_title_area() -> None:
    old = parse(
        title='<h2 class="media_end_head_headline">서고의 하루</h2>',
        open='<div id="dic_area" class="go_trans">',
        close="</div>",
    )
    assert old == parse()


def test_title_is_one_line_and_keeps_its_no_break_spaces() -> None:
    title = '<h2 class="media_end_head_headline">\n\t서고의\xa0&quot;하루&quot;<br>\n &lt;끝&gt; &amp;amp;\xa0</h2>'
    assert parse(title=title).title == '서고의\xa0"하루" <끝> &amp;'


def test_publisher_has_three_sources() -> None:
    assert parse(logo='<img alt="">').publisher == "서고신문"
    assert parse(logo="", script="").publisher == "서고통신"
    with pytest.raises(LayoutChanged, match="media_end_head_top_logo"):
        parse(logo="", script="", author='<meta property="og:article:author" content="네이버">')


def test_categories_are_the_pages_own_and_else_the_sections() -> None:
    assert parse(categories=layouts.categories("정치", "IT", "정치")).categories == ("정치", "IT")
    assert parse(categories="").categories == ("IT/과학",)
    assert parse(categories="", script=layouts.script(sid="104")).categories == ("세계",)
    assert parse(categories="", script="").categories == ()


@pytest.mark.parametrize(
    ("parts", "byline", "authors"),
    [
        ({"byline": layouts.byline("홍길동 기자(a@b.kr)")}, "홍길동 기자(a@b.kr)", [Author("홍길동", "a@b.kr")]),
        (
            {"byline": layouts.byline("홍길동 기자 a@b.kr", " 김철수\n기자 ")},
            "홍길동 기자 a@b.kr, 김철수 기자",
            [Author("홍길동", "a@b.kr"), Author("김철수")],
        ),
        (
            {"reporter": '<em class="media_end_head_journalist_name">홍길동 기자</em>'},
            "홍길동 기자",
            [Author("홍길동")],
        ),
        ({"byline": layouts.byline("서고일보"), "reporter": ""}, "서고일보", []),
        ({}, "", []),
    ],
)
def test_byline(parts: dict[str, str], byline: str, authors: list[Author]) -> None:
    article = parse(**parts)
    assert article.byline == byline
    assert list(article.authors) == authors


def test_author_in_the_text_is_taken_and_the_text_left_whole() -> None:
    article = parse("(서울=서고통신) 홍길동 기자 = 첫 문단이다.<br><br>둘째다.")
    assert (article.byline, article.authors) == ("홍길동 기자", (Author("홍길동"),))
    assert article.body == "(서울=서고통신) 홍길동 기자 = 첫 문단이다.\n\n둘째다."
    assert parse("첫 문단이다. 홍길동 기자가 물었다.").authors == ()


@pytest.mark.parametrize("lines", range(6))
def test_author_in_the_text_is_found_behind_a_subtitle_of_any_length(lines: int) -> None:
    subtitle = "<br>".join(f"부제의 {number}번째 줄" for number in range(lines))
    body = (
        f'<strong class="media_end_summary">{subtitle}</strong>[서울=서고통신]홍길동 기자 = 첫 문단이다.<br><br>a@b.kr'
    )
    assert parse(body).authors == (Author("홍길동", "a@b.kr"),)
    assert parse_article(layouts.read_nhn(body).encode(), layouts.URL).authors == (Author("홍길동", "a@b.kr"),)


def test_a_byline_without_an_address_gets_the_one_that_the_text_ends_in() -> None:
    article = parse(
        "첫 문단이다.<br><br>a@b.kr", reporter='<em class="media_end_head_journalist_name">홍길동 기자</em>'
    )
    assert (article.byline, article.authors) == ("홍길동 기자", (Author("홍길동", "a@b.kr"),))


def test_the_byline_of_2021() -> None:
    byline = '<div class="byline"><p class="b_text">\n\t홍길동 기자 a@b.kr\n</p></div>'
    for page in (layouts.read_nhn(byline=byline), layouts.article(byline=byline)):
        article = parse_article(page.encode(), layouts.URL)
        assert (article.byline, article.authors) == ("홍길동 기자 a@b.kr", (Author("홍길동", "a@b.kr"),))
    behind = layouts.read_nhn().replace("<!-- 관련기사 -->", byline)
    assert parse_article(behind.encode(), layouts.URL).byline == ""


def test_other_articles_bylines_and_categories_stay_out() -> None:
    tail = (
        layouts.byline("김다른 기자")
        + layouts.categories("연예")
        + '<h2 class="media_end_head_headline">다른 제목</h2>'
    )
    assert parse(tail=tail) == parse()


def test_subtitle_is_the_first_paragraph() -> None:
    article = parse('<strong class="media_end_summary">부제 하나<br />부제 둘</strong>첫 문단이다.')
    assert article.subtitle == "부제 하나\n부제 둘"
    assert article.body == "부제 하나\n부제 둘\n\n첫 문단이다."


def test_photo_between_paragraphs_is_no_text() -> None:
    article = parse(f"앞.<br><br>{layouts.FRAMED_PHOTO}<br><br>뒤.")
    assert (article.body, article.images, article.kind) == ("앞.\n\n뒤.", (PHOTO,), Kind.TEXT)


def test_edaily_puts_captions_into_a_table() -> None:
    table = f'<table class="nbd_table"><tr><td><img data-src="{layouts.PHOTO}"></td></tr><tr><td>표 속 설명.</td></tr></table>'
    article = parse(f"앞.{table}뒤.<table><tr><td>매출</td><td>10</td></tr><tr><td>이익</td><td>2</td></tr></table>")
    assert article.body == "앞.\n\n뒤.\n\n매출 10\n이익 2"
    assert article.images == (Image(PHOTO.url, "표 속 설명."),)


def test_joongang_wraps_photos_and_has_sub_headings() -> None:
    wrapped = f'<div class="ab_photo"><div class="image">{layouts.FRAMED_PHOTO}<span class="mask"></span></div></div>'
    article = parse(f'{wrapped}     앞.  <br>      <br>   <div class="ab_sub_heading">중간 제목</div>뒤.')
    assert (article.body, article.images) == ("앞.\n\n뒤.", (PHOTO,))


def test_ore_spans_do_not_split_words() -> None:
    assert parse('국<span data-type="ore">산</span> 인공<span data-type="ore">지</span>능').body == "국산 인공지능"


def test_scripts_frames_and_foreign_images_are_nothing() -> None:
    noise = '<script>x</script><style>y</style><iframe>z</iframe><img src="https://ad.example/1.gif"><!-- 주석 -->'
    article = parse(f"앞.{noise}<br>뒤.")
    assert (article.body, article.images) == ("앞.\n뒤.", ())


PLAYER = '<div class="vod_player_wrap _VIDEO_AREA_WRAP"><button>재생</button>플레이어</div>'
FLASH_TITLE = '<h2 class="media_end_head_headline">{}</h2>'


PROMOTION = (
    "<br><br>▶ 서고일보 '서고의 아침' 구독하기 ▶ 지금 가입하면 첫 달은 무료! ▶ 날마다 새로운 소식을 받아 보세요"
    "<br>※ '당신의 제보가 뉴스가 됩니다'<br>[메일] jebo@seogo.example<br>서고일보는 여러분의 제보를 기다리고 있습니다."
    "<br>자세한 기사가 이어집니다.<br>&lt;저작권자 ⓒ 서고일보, 무단 전재 및 재배포 금지&gt;"
)


@pytest.mark.parametrize(
    ("title", "body", "kind"),
    [
        ("서고", "글이다.", Kind.TEXT),
        ("서고", f"{PLAYER}글이다.", Kind.VIDEO),
        ("[속보] 서고", PLAYER, Kind.VIDEO),
        ("서고", layouts.FRAMED_PHOTO, Kind.PHOTO),
        ("[1보] 서고", layouts.FRAMED_PHOTO, Kind.FLASH),
        ("[속보] 서고", "(서울=서고통신)", Kind.FLASH),
        ("[속보] 서고", "긴 글이다. " * 30, Kind.TEXT),
        ("서고 [1보]", "글이다.", Kind.TEXT),
        ("[속보] 서고", f"서고가 문을 열었다.{PROMOTION}", Kind.FLASH),
        ("[속보] 서고", f"{'서고가 문을 열었다고 밝혔다. ' * 10}{PROMOTION}", Kind.TEXT),
        ("서고", f"서고가 문을 열었다.{PROMOTION}", Kind.TEXT),
        ("서고", "", Kind.FLASH),
    ],
)
def test_kind(title: str, body: str, kind: Kind) -> None:
    assert parse(body, title=FLASH_TITLE.format(title)).kind == kind


def test_a_player_holds_no_text() -> None:
    assert parse(f"{PLAYER}앵커: 서고입니다.").body == "앵커: 서고입니다."


@pytest.mark.parametrize(
    ("parts", "selector"),
    [
        ({"title": ""}, "h2.media_end_head_headline"),
        ({"title": '<h2 class="media_end_head_headline"> </h2>'}, "h2.media_end_head_headline"),
        ({"published": ""}, "span._ARTICLE_DATE_TIME"),
        ({"published": '<span class="_ARTICLE_DATE_TIME">2026.10.01. 오전 9:08</span>'}, "span[data-date-time]"),
        (
            {"published": '<span class="_ARTICLE_DATE_TIME" data-date-time="2026-02-30 09:08:07"></span>'},
            "span[data-date-time]",
        ),
        (
            {"modified": '<span class="_ARTICLE_MODIFY_DATE_TIME" data-modify-date-time="어제"></span>'},
            "span[data-modify-date-time]",
        ),
        ({"open": "<article>"}, "#dic_area"),
    ],
)
def test_what_is_missing_is_named(parts: dict[str, str], selector: str) -> None:
    with pytest.raises(LayoutChanged) as caught:
        parse(**parts)
    assert caught.value.selector == selector
    assert caught.value.url == layouts.URL


@pytest.mark.parametrize(
    "parts",
    [
        {"script": layouts.script(aid="0000004568")},
        {"url": '<meta property="og:url" content="https://n.news.naver.com/article/123/0000004568">'},
    ],
)
def test_a_page_of_another_article_is_refused(parts: dict[str, str]) -> None:
    with pytest.raises(LayoutChanged, match="123_0000004568"):
        parse(**parts)


def test_a_page_that_names_no_key_is_taken_at_its_address() -> None:
    assert parse(url="", script="").id == "123_0000004567"


def notice_page(words: str) -> bytes:
    return f"<!doctype html><html><head><title>네이버 뉴스</title></head><body><p>{words}</p></body></html>".encode()


@pytest.mark.parametrize("notice", GONE_NOTICES)
def test_gone(notice: str) -> None:
    with pytest.raises(ArticleGone) as caught:
        parse_article(notice_page(f"언론사 요청으로 {notice}."), layouts.URL)
    assert caught.value.notice == notice


@pytest.mark.parametrize("notice", UNAVAILABLE_NOTICES)
def test_not_now(notice: str) -> None:
    with pytest.raises(TemporarilyUnavailable):
        parse_article(notice_page(notice), layouts.URL)


@pytest.mark.parametrize("notice", [*GONE_NOTICES, *UNAVAILABLE_NOTICES])
def test_an_article_about_a_deletion_is_not_gone(notice: str) -> None:
    title = FLASH_TITLE.format(f"“{notice}” 문구 논란")
    assert notice in parse(f"화면에는 {notice} 문구만 떴다.", title=title).body
    with pytest.raises(LayoutChanged):
        parse(title=title, open="<article>")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n",
        b"\x00\xff\xfe",
        b"<html><body><form id=captcha>Are you a robot?</form></body></html>",
        "<html><body><a href=/x>삭제된 기사입니다 논란</a><script>'페이지를 찾을 수 없습니다'</script></body></html>".encode(),
    ],
)
def test_any_other_page_is_a_layout_that_nobody_knows(content: bytes) -> None:
    with pytest.raises(LayoutChanged):
        parse_article(content, layouts.URL)


def test_only_addresses_of_articles_are_parsed() -> None:
    with pytest.raises(AddressError):
        parse_article(layouts.article().encode(), "https://news.naver.com/section/105")


# --- the old layout ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_the_old_page_in_both_encodings(encoding: str) -> None:
    page = layouts.read_nhn(
        f"{layouts.FRAMED_PHOTO}<br><br>똠방각하가 펲시를 샀다. 홍길동기자 a@b.kr",
        times=("2020.09.19. 오후 12:28", "2020.09.20. 오전 12:05"),
    )
    article = parse_article(page.encode(encoding), layouts.URL)
    assert article == Article(
        key=article.key,
        title='똠방각하의 "하루"',
        body="똠방각하가 펲시를 샀다. 홍길동기자 a@b.kr",
        publisher="서고일보",
        published_at=datetime(2020, 9, 19, 12, 28, tzinfo=SEOUL),
        modified_at=datetime(2020, 9, 20, 0, 5, tzinfo=SEOUL),
        parser="read_nhn/2",
        byline="홍길동기자 a@b.kr",
        authors=(Author("홍길동", "a@b.kr"),),
        categories=("정치",),
        original_url="http://seogo.example/c.html?no=1",
        images=(PHOTO,),
    )


@pytest.mark.parametrize(
    ("old", "new", "selector"),
    [
        ('id="articleBodyContents"', "", "#articleBodyContents"),
        ('id="articleTitle"', "", "h3#articleTitle"),
        ('class="t11"', "", "span.t11"),
        ("오후 8:28", "오후 20:28", "span.t11"),
        ("alt='서고일보'", "", ".press_logo img[alt] (or og:article:author)"),
    ],
)
def test_what_is_missing_on_the_old_page_is_named(old: str, new: str, selector: str) -> None:
    with pytest.raises(LayoutChanged) as caught:
        parse_article(layouts.read_nhn().replace(old, new).encode("cp949"), layouts.URL)
    assert caught.value.selector == selector


# --- anything at all -----------------------------------------------------------------------------------------------

SHREDS: list[Any] = [
    "<article id=dic_area>", "</article>", "<div class=media_end_head>", "<h2 class=media_end_head_headline>", "</h2>", "<table>", "<!--", "-->",
    "<script>", "</script>", '<span class=_ARTICLE_DATE_TIME data-date-time="2026-10-01 09:08:07">', "<h3 id=articleTitle>", "{", "글", "\x00",
]  # fmt: skip


@given(st.one_of(st.binary(), st.lists(st.sampled_from(SHREDS)).map(lambda shreds: "".join(shreds).encode())))
def test_no_page_breaks_the_parser(content: bytes) -> None:
    try:
        article = parse_article(content, layouts.URL)
    except ParseError:
        return
    assert article.title
    assert article.publisher
