"""Names and e-mail addresses out of bylines, and bylines out of running text: better none than a wrong one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.naver.bylines import find_byline, parse_byline

People = list[tuple[str | None, str | None]]


def people(line: str) -> People:
    return [(author.name, author.email) for author in parse_byline(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("조인영 기자 (ciy8100@dailian.co.kr)", [("조인영", "ciy8100@dailian.co.kr")]),
        ("김아름(autumn@edaily.co.kr)", [("김아름", "autumn@edaily.co.kr")]),
        ("\n\t\t송현수\t기자 \n", [("송현수", None)]),
        ("홍길동기자 hong@a.co.kr", [("홍길동", "hong@a.co.kr")]),
        ("홍길동 특파원", [("홍길동", None)]),
        ("홍길동 도쿄특파원", [("홍길동", None)]),
        ("워싱턴=홍길동 특파원", [("홍길동", None)]),
        ("워싱턴 홍길동 특파원", [("홍길동", None)]),
        ("홍길동 논설위원", [("홍길동", None)]),
        ("홍길동 선임기자", [("홍길동", None)]),
        ("홍길동 의학전문기자", [("홍길동", None)]),
        ("홍길동 인턴 기자", [("홍길동", None)]),
        ("홍길동 문화부 기자", [("홍길동", None)]),
        ("홍길동 한국대 교수", [("홍길동", None)]),
        ("서고일보 홍길동 기자", [("홍길동", None)]),
        ("(서울=서고통신) 홍길동 기자", [("홍길동", None)]),
        ("글·사진=홍길동 기자", [("홍길동", None)]),
        ("남궁민수 기자", [("남궁민수", None)]),
        ("Bradley Cho 기자", [("Bradley Cho", None)]),
        ("홍길동·김철수 기자", [("홍길동", None), ("김철수", None)]),
        ("홍길동 김철수 이영희 기자", [("홍길동", None), ("김철수", None), ("이영희", None)]),
        ("홍길동 기자(a@x.kr), 김철수 기자(b@x.kr)", [("홍길동", "a@x.kr"), ("김철수", "b@x.kr")]),
        ("홍길동/김철수 기자 a@x.kr b@x.kr", [("홍길동", "a@x.kr"), ("김철수", "b@x.kr")]),
        ("홍길동 기자, 김철수 기자(b@x.kr)", [("홍길동", None), ("김철수", "b@x.kr")]),
        ("hong@x.kr", [(None, "hong@x.kr")]),
        ("", []),
        ("온라인뉴스팀", []),
        ("연합뉴스", []),
        ("긴 문장 " * 100, []),
    ],
)
def test_people_of_a_byline(line: str, expected: People) -> None:
    assert people(line) == expected


@pytest.mark.parametrize(
    ("body", "byline"),
    [
        ("(서울=뉴스1) 홍길동 기자 = 서고가 열렸다.", "홍길동 기자"),
        ("부제 한 줄\n\n(서울=연합뉴스) 홍길동 김철수 기자 = 서고가 열렸다.", "홍길동 김철수 기자"),
        ("[서울=뉴시스]홍길동 인턴 기자 = 서고가 열렸다.", "홍길동 인턴 기자"),
        ("[이데일리 홍길동 기자] 서고가 열렸다.", "홍길동 기자"),
        ("[헤럴드경제=홍길동 기자] 서고가 열렸다.", "홍길동 기자"),
        ("[파이낸셜뉴스] 홍길동 기자 = 서고가 열렸다.", "홍길동 기자"),
        ("(워싱턴=연합뉴스) 홍길동 특파원 = 서고가 열렸다.", "홍길동 특파원"),
        ("서고가 열렸다.\n\n홍길동 기자 mulderous@a.co.kr", "홍길동 기자 mulderous@a.co.kr"),
        ("서고가 열렸다. 홍길동기자 a@b.co.kr\n\n채널 구독 / 구독\n홈페이지 바로가기", "홍길동기자 a@b.co.kr"),
        ("서고가 열렸다.\n\n홍길동 기자", "홍길동 기자"),
    ],
)
def test_a_credit_in_the_text_is_found(body: str, byline: str) -> None:
    assert find_byline(body) == byline
    assert people(byline)[0][0] == "홍길동"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "서고가 열렸다.",
        "이날 홍길동 기자가 물었다.",
        "홍길동 기자 = 라는 말이 글 가운데 있으면 믿지 않는다.",
        "그는 본지 기자",
        "문의는 인턴 기자 a@b.co.kr",
        "홍길동 서고전자 부장 a@b.co.kr",
        "(서울=뉴스1) 특별취재팀 = 서고가 열렸다.",
        "[서고 문화 기자] 서고가 열렸다.",
        "가나다 photo@yna.co.kr",
    ],
)
def test_what_only_resembles_a_credit_is_left_alone(body: str) -> None:
    assert find_byline(body) == ""


@given(st.text(alphabet="홍길동 기자=()[]·,/@a.\n김철수선임", max_size=400))
def test_no_text_breaks_them(text: str) -> None:
    byline = find_byline(text)
    assert byline in text
    if byline:
        assert all(author.name for author in parse_byline(byline))
    for author in parse_byline(text):
        assert author.name or author.email


@pytest.mark.parametrize(
    "text",
    ["가나다 선임 기자 " * 20_000, "가나·" * 100_000, "a" * 1_000_000 + "@", "[서울=뉴스1]" + "가나다 기자," * 100_000],
)
def test_a_hostile_text_takes_no_time(text: str) -> None:
    began = time.perf_counter()
    find_byline(text)
    parse_byline(text)
    assert time.perf_counter() - began < 0.5
