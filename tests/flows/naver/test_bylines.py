"""Names and e-mail addresses out of bylines, and bylines out of running text: better none than a wrong one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.naver.articles.bylines import authors_of, find_byline, parse_byline

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
        ("[이데일리 홍길동 김철수 기자] 서고가 열렸다.", "홍길동 김철수 기자"),
        ("【서울=뉴시스】 홍길동 기자 = 서고가 열렸다.", "홍길동 기자"),
        ("한 줄\n두 줄\n세 줄\n네 줄\n\n[서울=뉴시스]홍길동 기자 = 서고가 열렸다.", "홍길동 기자"),
        ("[사진=김사진 기자]\n[헤럴드경제=홍길동 기자] 서고가 열렸다.", "홍길동 기자"),
        (
            "서고가 열렸다.\n\n<홍길동 기자 a@b.co.kr, 김철수 기자 c@b.co.kr>",
            "홍길동 기자 a@b.co.kr, 김철수 기자 c@b.co.kr",
        ),
        ("서고가 열렸다.\n\n[홍길동 기자 a@b.co.kr]", "홍길동 기자 a@b.co.kr"),
        ("서고가 열렸다.\n강원｜홍길동 기자 a@b.co.kr", "홍길동 기자 a@b.co.kr"),
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
        "[사진=홍길동 기자]",
        "서고가 열렸다.\n\nhong@seogo.example",
    ],
)
def test_what_only_resembles_a_credit_is_left_alone(body: str) -> None:
    assert find_byline(body) == ""


LEAD = "(서울=서고통신) 홍길동 기자 = 서고가 열렸다."


@pytest.mark.parametrize(
    "text",
    [
        f"{LEAD}\n\nhong@seogo.example",
        f"{LEAD} 사람이 많았다. hong@seogo.example",
        f"{LEAD} 2026.10.07. hong@seogo.example",
        f"{LEAD}\n\n/hong@seogo.example",
        f"{LEAD}\n\n◎공감언론 뉴시스 hong@seogo.example",
        f"{LEAD}\n\n(hong@seogo.example)",
        f"{LEAD}\n\n홍길동 기자 hong@seogo.example",
        f"{LEAD}\nhong@seogo.example\n\n서고통신은 제보를 기다립니다.\n▶이메일: jebo@seogo.example\n▶홈페이지: http://x",
    ],
)
def test_the_address_that_a_text_ends_in_is_that_of_the_person_it_leads_with(text: str) -> None:
    byline = find_byline(text)
    assert [(author.name, author.email) for author in authors_of(byline, text)] == [("홍길동", "hong@seogo.example")]
    assert people(byline) == [("홍길동", "hong@seogo.example")]
    # The same where the page shows the name beside the text.
    assert [author.email for author in authors_of("홍길동 기자", text)] == ["hong@seogo.example"]


@pytest.mark.parametrize(
    "end",
    [
        "▷ 이메일 : kbs1234@seogo.example",
        "[메일] social@seogo.example",
        "photo@seogo.example",
        "제보는 이메일 jebo@seogo.example",
        "보낼 곳 kim@seogo.example",
        "문의는 이메일(hong@seogo.example).",
        "hong@seogo.example, kim@seogo.example",
        "김철수 기자 kim@seogo.example",
    ],
)
def test_another_address_at_the_end_is_nobodys(end: str) -> None:
    text = f"{LEAD}\n\n{end}"
    assert [(author.name, author.email) for author in authors_of(find_byline(text), text)] == [("홍길동", None)]


def test_two_people_and_two_addresses_belong_together_in_order() -> None:
    text = "[서울=서고통신] 홍길동 김철수 기자 = 글이다. 2026.10.07. hong@seogo.example, kim@seogo.example"
    assert people(find_byline(text)) == [("홍길동", "hong@seogo.example"), ("김철수", "kim@seogo.example")]


def test_what_a_byline_says_itself_is_not_changed() -> None:
    assert authors_of("홍길동(a@b.kr)", "글이다. c@d.kr") == parse_byline("홍길동(a@b.kr)")
    assert authors_of("온라인뉴스팀", "글이다.\nc@d.kr") == ()


def test_a_lead_of_another_agency_belongs_to_its_picture() -> None:
    text = "(서울=연합뉴스) 김사진 기자 = 30일 서고에서.\n[서고경제=홍길동 기자] 서고가 열렸다."
    assert find_byline(text, "서고경제") == "홍길동 기자"
    assert find_byline(text, "연합뉴스TV") == "김사진 기자"


@given(st.text(alphabet="홍길동 기자=()[]·,/@a.\n김철수선임", max_size=400))
def test_no_text_breaks_them(text: str) -> None:
    byline = find_byline(text)
    assert all(part in text for author in parse_byline(byline) for part in (author.name, author.email) if part)
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
