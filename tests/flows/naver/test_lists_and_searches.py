# ruff: noqa: E501 (markup reads best on one line)
"""Where articles are found: the Search API, lists, section pages and the search page, made up where no capture is."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.naver.listing import parse_list_page, parse_section_more, parse_section_page
from flows.naver.search.api import ApiErrorKind, parse_api_error, parse_search_answer
from flows.naver.search.page import parse_search_page
from schemas.article import SEOUL
from schemas.errors import LayoutChanged

SEEN = datetime(2026, 1, 1, tzinfo=UTC)
HOW: dict[str, Any] = {"source": "test", "seen_at": SEEN, "url": "https://news.naver.com/main/list.naver?page=2"}


# --- the Search API ------------------------------------------------------------------------------------------------


def item(aid: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "title": "<b>서고</b>의 하루 &quot;&amp;lt;b&amp;gt;&quot; &lt;b&gt;",
        "originallink": "https://seogo.example/1?utm_source=x",
        "link": f"https://n.news.naver.com/mnews/article/001/{aid:010}?sid=105",
        "description": "설명... <b>서고</b>",
        "pubDate": "Fri, 02 Jan 2026 00:05:00 +0900",
        **changes,
    }


def answer(*items: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({"lastBuildDate": "x", "total": 9, "start": 1, "display": 10, "items": items, **changes}).encode()


def test_marks_are_taken_off_and_entities_read_once() -> None:
    ref = parse_search_answer(answer(item()), **HOW).refs[0]
    assert ref.title == '서고의 하루 "&lt;b&gt;" <b>'
    assert ref.description == "설명... 서고"
    assert ref.original_url == "https://seogo.example/1"
    assert (ref.source, ref.seen_at) == ("test", SEEN)
    assert ref.url == "https://n.news.naver.com/mnews/article/001/0000000001?sid=105"


def test_times_are_seouls_whatever_zone_they_come_in() -> None:
    parsed = parse_search_answer(answer(item(1, pubDate="Thu, 01 Jan 2026 15:05:00 +0000"), item(2)), **HOW)
    assert parsed.oldest == parsed.newest == datetime(2026, 1, 2, 0, 5, tzinfo=SEOUL)
    assert parsed.refs[0].published_at == parsed.oldest
    assert parsed.oldest is not None
    assert parsed.oldest.tzinfo is SEOUL


def test_what_naver_does_not_host_is_counted_and_reaches_as_far() -> None:
    foreign = item(link="https://seogo.example/1", pubDate="Wed, 31 Dec 2025 23:00:00 +0900")
    parsed = parse_search_answer(answer(item(1), item(1), foreign), **HOW)
    assert (parsed.items, parsed.not_hosted, len(parsed.refs)) == (3, 1, 1)
    assert parsed.oldest == datetime(2025, 12, 31, 23, 0, tzinfo=SEOUL)


def test_an_empty_answer_is_an_answer() -> None:
    parsed = parse_search_answer(answer(total=0, display=0), **HOW)
    assert (parsed.refs, parsed.oldest, parsed.newest) == ((), None, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        answer()[:-3],
        answer(items={}),
        answer(items=[1]),
        answer(total="9"),
        answer(item(pubDate="어제")),
        answer(item(pubDate="Fri, 02 Jan 2026 00:05:00")),
        answer(item(pubDate="Fri, 99 Jan 2026 00:05:00 +0900")),
        answer(item(link=None)),
        answer(item(title=1)),
    ],
)
def test_an_answer_of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(LayoutChanged):
        parse_search_answer(content, **HOW)


@given(st.text())
def test_any_title_can_be_stored(title: str) -> None:
    ref = parse_search_answer(answer(item(title=title)), **HOW).refs[0]
    (ref.title or "").encode()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "SE01", ApiErrorKind.BAD_QUERY),
        (400, "SE06", ApiErrorKind.BAD_QUERY),
        (404, "SE05", ApiErrorKind.BAD_QUERY),
        (401, "024", ApiErrorKind.BAD_KEY),
        (403, "300", ApiErrorKind.BAD_KEY),
        (429, "012", ApiErrorKind.RATE),
        (429, "010", ApiErrorKind.QUOTA),
        (500, "SE99", ApiErrorKind.SERVER),
    ],
)
def test_errors_in_both_shapes(status: int, code: str, kind: ApiErrorKind) -> None:
    old = {"errorMessage": "말", "errorCode": code}
    new = {"error": {"errorCode": code, "message": "말", "details": ""}}
    for shape in (old, new):
        error = parse_api_error(json.dumps(shape).encode(), status)
        assert error is not None
        assert (error.code, error.message, error.kind) == (code, "말", kind)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, ApiErrorKind.BAD_KEY), (429, ApiErrorKind.RATE), (503, ApiErrorKind.SERVER), (418, ApiErrorKind.BAD_QUERY)],
)
def test_an_error_without_words_is_known_by_its_status(status: int, kind: ApiErrorKind) -> None:
    error = parse_api_error(b"<html>no</html>", status)
    assert error is not None
    assert (error.code, error.kind) == (str(status), kind)


def test_a_good_answer_is_no_error() -> None:
    assert parse_api_error(answer(item()), 200) is None
    assert parse_api_error(b"", 200) is None


# --- lists ---------------------------------------------------------------------------------------------------------

PAGING = '<div class="paging"><a href="?page=1">1</a><strong>2</strong>{more}</div>'


def row(aid: int, date: str = "10분전") -> str:
    return f'<li><a href="/main/read.naver?oid=001&aid={aid:010}">제목 {aid}</a><span class="writing">서고일보</span><span class="date">{date}</span></li>'


def list_page(rows: str, more: str = "", kind: str = "type02") -> bytes:
    return f'<html><body><div class="list_body newsflash_body"><ul class="{kind}">{rows}</ul></div>{PAGING.format(more=more)}</body></html>'.encode(
        "cp949"
    )


def test_a_title_list() -> None:
    page = parse_list_page(list_page(row(1) + row(2) + row(1), '<a href="?x=1&page=3">3</a>'), **HOW)
    assert [ref.title for ref in page.refs] == ["제목 1", "제목 2"]
    assert page.refs[0].url == "https://news.naver.com/main/read.naver?oid=001&aid=0000000001"
    assert (page.refs[0].publisher, page.refs[0].published_at) == ("서고일보", None)
    assert (page.page, page.has_next, page.empty) == (2, True, False)


def test_only_an_absolute_time_becomes_one() -> None:
    page = parse_list_page(list_page(row(1, "2026.01.02. 오전 12:05") + row(2, "1일전")), **HOW)
    assert [ref.published_at for ref in page.refs] == [datetime(2026, 1, 2, 0, 5, tzinfo=SEOUL), None]


def test_a_broken_link_is_no_article() -> None:
    page = parse_list_page(list_page('<li><a href="http://[">x</a></li>' + row(1)), **HOW)
    assert len(page.refs) == 1


def test_the_last_page_has_no_next() -> None:
    assert not parse_list_page(list_page(row(1)), **HOW).has_next


@pytest.mark.parametrize("rows", ["", "<li>등록된 기사가 없습니다.</li>"])
def test_an_empty_list_says_so(rows: str) -> None:
    page = parse_list_page(list_page(rows), **HOW)
    assert (page.refs, page.empty) == ((), True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>captcha</body></html>",
        list_page(row(1), kind="type99"),
        list_page('<li><a href="/v2/001-0000000001">제목</a></li>'),
        "<html><body><div class=list_body>잠시 후 다시</div></body></html>".encode(),
    ],
)
def test_a_list_of_another_form_is_not_an_empty_one(content: bytes) -> None:
    with pytest.raises(LayoutChanged):
        parse_list_page(content, **HOW)


# --- sections ------------------------------------------------------------------------------------------------------


def section(*aids: int, more: str = "true", cursor: str = "20260102030405") -> str:
    items = "".join(
        f'<li class="sa_item"><a class="sa_thumb_link" href="https://n.news.naver.com/mnews/article/001/{aid:010}"></a>'
        f'<a class="sa_text_title" href="https://n.news.naver.com/mnews/article/001/{aid:010}"><strong>제목 {aid}</strong></a>'
        f'<div class="sa_text_lede">첫 줄</div><div class="sa_text_press">서고일보</div></li>'
        for aid in aids
    )
    return f'<div class="section_latest_article" data-has-next="{more}" data-cursor-name="next" data-cursor="{cursor}"><ul>{items}</ul></div>'


def sequel(html: str) -> bytes:
    return json.dumps({"renderedComponent": {"SECTION_ARTICLE_LIST_FOR_LATEST": html}}).encode()


def test_a_section_and_its_sequel_name_the_next_cursor() -> None:
    page = parse_section_page(section(1, 2, 1).encode(), **HOW)
    assert [(ref.title, ref.description, ref.publisher) for ref in page.refs] == [
        ("제목 1", "첫 줄", "서고일보"),
        ("제목 2", "첫 줄", "서고일보"),
    ]
    assert (page.cursor, page.has_next) == ("20260102030405", True)
    assert parse_section_more(sequel(section(3, cursor="7")), **HOW).cursor == "7"


def test_the_last_sequel_has_no_cursor() -> None:
    last = parse_section_more(sequel(section(3, more="false")), **HOW)
    assert (len(last.refs), last.cursor, last.has_next) == (1, None, False)
    assert parse_section_more(sequel(section()), **HOW).refs == ()
    assert parse_section_more(sequel(""), **HOW).refs == ()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"renderedComponent": 1}', sequel("<p>captcha</p>"), section(1).encode()]
)
def test_a_sequel_of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(LayoutChanged):
        parse_section_more(content, **HOW)


@pytest.mark.parametrize("content", [b"", b"<html><body><ul><li class=xx></li></ul></body></html>"])
def test_a_section_of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(LayoutChanged):
        parse_section_page(content, **HOW)


# --- the search page -----------------------------------------------------------------------------------------------


def hit(address: str, title: str = "", wrapper: str = "div") -> str:
    named = (
        f'<a href="https://seogo.example/{title}?ref=naver" data-heatmap-target=".tit"><mark>{title}</mark> 제목</a>'
        if title
        else ""
    )
    return f'<{wrapper}><span><a href="{address}">네이버뉴스</a></span>{named}</{wrapper}>'


def search(*hits: str) -> bytes:
    return f"<html><body><div id=main_pack>{''.join(hits)}</div><script>'검색결과가 없습니다'</script></body></html>".encode()


N, S, E = (
    "https://n.news.naver.com/mnews/article/001/0000000001?sid=1",
    "https://m.sports.naver.com/kbaseball/article/001/0000000002",
    "https://m.entertain.naver.com/article/001/0000000003",
)


def test_hits_are_known_by_where_they_lead() -> None:
    page = parse_search_page(
        search(
            hit(N, "하나"),
            hit(N, "하나"),
            hit(S),
            hit(E),
            hit("https://news.naver.com/main/read.naver?oid=001&aid=0000000009"),
        ),
        **HOW,
    )
    assert [(ref.key.aid[-1], ref.title) for ref in page.refs] == [("1", "하나 제목"), ("2", None), ("3", None)]
    assert page.refs[0].original_url == "https://seogo.example/하나"


def test_a_title_that_could_be_anothers_is_left_open() -> None:
    page = parse_search_page(
        search(f"<div>{hit(N)}{hit('https://seogo.example', '하나')}{hit('https://seogo.example', '둘')}</div>"), **HOW
    )
    assert (page.refs[0].title, page.refs[0].original_url) == (None, None)
    assert page.not_hosted == 2


def test_results_that_are_all_elsewhere_are_results() -> None:
    page = parse_search_page(search(hit("https://seogo.example/1", "하나")), **HOW)
    assert (page.refs, page.not_hosted, page.no_results) == ((), 1, False)


@pytest.mark.parametrize("words", ["'서고'에 대한 검색결과가 없습니다.", "<b>검색 결과가</b> 없습니다"])
def test_no_results_in_the_pages_own_words(words: str) -> None:
    assert parse_search_page(search(f"<p>{words}</p>"), **HOW).no_results


@pytest.mark.parametrize(
    "content", [b"", search(), search("<a href='https://seogo.example/1'>x</a>"), search("<form>captcha</form>")]
)
def test_neither_results_nor_words_is_a_change(content: bytes) -> None:
    with pytest.raises(LayoutChanged):
        parse_search_page(content, **HOW)


@given(
    st.binary(),
    st.sampled_from([parse_list_page, parse_section_page, parse_section_more, parse_search_page, parse_search_answer]),
)
def test_no_bytes_break_any_of_them(content: bytes, parse: Any) -> None:
    with contextlib.suppress(LayoutChanged):
        parse(content, **HOW)
