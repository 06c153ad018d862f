"""Queries as expressions that FTS5 accepts, and mistakes reported with their position."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import QueryError
from storage.search.index import Writer, opened_to_write
from storage.search.query import LONGEST, parse
from storage.search.spellings import occurring
from tests.support.search import a_document

TEXTS = {
    1: ("가온, 독자 모델 공개", "업스테이지와 소버린 AI를 말했다. 값은 10조원이다."),
    2: ("나래의 주가", "독자파운데이션모델을 만든 A.X K1과 솔라. LG전자는 1,000억 달러를 썼다."),
    3: ("다온 소식", "독자 AI 파운데이션 모델, 엑사원. 값은 10조 원이고 李대통령은 오픈AI를 찾았다."),
    4: ("라온", "한·미 정상회담에서 새 정부의 항공사 이야기가 나왔다. 300000명이 모였다."),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    with opened_to_write(tmp_path_factory.mktemp("index")) as writer:
        writer.replace([], [a_document(number, text, title=title) for number, (title, text) in TEXTS.items()])
        yield writer


def found(index: Writer, query: str) -> set[int]:
    """The numbers of the texts that a query finds."""
    sql = "SELECT substr(id, -1) FROM ft JOIN doc ON doc.n = ft.rowid WHERE ft MATCH ?"
    match = occurring(index.connection, parse(query).match)
    return {int(number) for (number,) in index.connection.execute(sql, (match,))}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("업스테이지 소버린", {1}),  # both
        ("업스테이지 솔라", set()),
        ("업스테이지 OR 솔라", {1, 2}),
        ("업스테이지 or 솔라", set()),  # a word, as any
        ("독자 -주가", {1, 3}),
        ("독자 NOT 주가", {1, 3}),
        ("독자 AND 소버린", {1}),
        ("독자 AND NOT 주가", {1, 3}),
        ("독자 -(주가 OR 엑사원)", {1}),
        ("(업스테이지 OR 솔라) 독자", {1, 2}),
        ("title:독자", {1}),
        ("TITLE:독자", {1}),
        ("title:(가온 OR 다온) 독자", {1, 3}),
        ("독자 -title:독자", {2, 3}),
        ("title:주가 솔라", {2}),  # the title is meant for its own word only
        ("독자파운데이션모델", {2}),  # a whole word stands between
        ("독자AI파운데이션모델", {3}),
        ("파운데이션모델", {2, 3}),
        ('"파운데이션 모델"', {2, 3}),
        ('"독자 파운데이션모델"', {2}),
        ("10조원", {1, 3}),
        ('"10조 원"', {1, 3}),
        ("1000억", {2}),
        ("1,000억달러", {2}),
        ("300,000명", {4}),
        ("300000", {4}),
        ("a.x", {2}),
        ("A.X K1", {2}),
        ('"A.X K1"', {2}),
        ("LG", {2}),
        ("lg전자", {2}),
        ('"LG 전자"', {2}),
        ("李대통령", {3}),
        ("李", {3}),
        ("대통령", {3}),
        ("공사", {4}),  # inside of another word: what it costs that compounds are found
        ("한·미", {4}),
        ("새정부", set()),  # from four syllables on
        ("새 정부", {4}),
        ("AI", {1, 3}),
        ("A", {2}),  # whole Latin words only
        ("오픈AI", {3}),
        ("ㅋ", set()),
    ],
)
def test_a_query_finds(index: Writer, query: str, expected: set[int]) -> None:
    assert found(index, query) == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "The query is empty"),
        (" \n ", "The query is empty"),
        ('"가온', "at character 1, before '\"가온': expected a closing \""),
        ('가온 "', "at character 4, before '\"': expected a closing \""),
        ("(가온", "at its end: expected the ) of the ( at character 1"),
        ("가온)", "at character 3, before ')': expected a word, or the end"),
        ("()", "at character 2, before ')': expected a word to find"),
        ("AND", "at character 1, before 'AND': expected a word on both sides of AND"),
        ("가온 AND", "at character 4, before 'AND': expected a word on both sides of AND"),
        ("가온 AND OR 나래", "at character 8, before 'OR 나래': expected a word, a \"phrase\" or ("),
        ("가온 OR", "at its end: expected a word to find"),
        ("OR 가온", "at character 1, before 'OR 가온': expected a word to find"),
        ("NOT", 'at its end: expected a word, a "phrase" or ('),
        ("-가온", "at character 1, before '-가온': expected a word to find beside what is excluded"),
        ("가온 OR -나래", "at character 7, before '-나래': expected a word to find beside what is excluded"),
        ("가온 --나래", "at character 5, before '-나래': expected a word, a \"phrase\" or ("),
        ("title:", 'at its end: expected a word, a "phrase" or ('),
        ("!?", "at character 1, before '!?': expected a letter or a digit to look for"),
        ('가온 ""', "at character 4, before '\"\"': expected a letter or a digit to look for"),
        ("가온 -", "at character 4, before '-': expected a letter or a digit to look for"),
        ("가\0온", "Character 2 of the query, U+0000, is not text"),
        ("가온 \udc80", "Character 4 of the query, U+DC80, is not text"),
        ("가" * (LONGEST + 1), "at most 1,000 are read"),
        (" ".join(["가나"] * 10_000), "at most 1,000 are read"),
        (" ".join(["a"] * 100), "more than 64 words"),
        ("(" * 21 + "a" + ")" * 21, "more than 20 parentheses"),
    ],
)
def test_a_mistake_is_reported_with_its_position_and_what_was_expected(query: str, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert said in str(caught.value)


_HOSTILE = [
    "'; DROP TABLE doc; --",
    'x" OR "1"="1',
    "NEAR(a b, 3)",
    "a* ^b + c",
    "{title body} : a",
    "rowid:1",
    "ft MATCH 'a'",
    "a" * LONGEST,
    "가" * LONGEST,
    "가1" * (LONGEST // 2),
    "1" * LONGEST,
    "," * LONGEST,
    '"' * LONGEST,
    "-" * LONGEST,
    "(a " * 20 + "b" + ")" * 20,
    "a -(b " * 20 + "c" + ")" * 20,
    "title:(a OR " * 20 + "파운데이션모델" + ")" * 20,
    "title:" * 166 + "a",
    " ".join(["가나다라마바사아자차카타"] * 64),
    '"' + " ".join("가나다라마바사아자차카타") * 30 + '"',
    " OR ".join(["파운데이션모델"] * 60),
    "ㄱ",
    "ᄀ" * 500,
    "a\u0301" * 500,
    "\u202e가\u2066온",
    "İSTANBUL ß ﬁ ǅ",
    "𐐀𠀀🤖a",
]


@pytest.mark.parametrize("query", _HOSTILE)
def test_a_hostile_query_has_an_answer_or_is_refused(index: Writer, query: str) -> None:
    with suppress(QueryError):
        assert found(index, query) <= TEXTS.keys()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=5_000)
@given(
    query=st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                ["가온", "ai", "1,0", "AND", "OR", "NOT", "-", "(", ")", '"', "title:", " ", "*", "^", "독자모델"]
            ),
            max_size=14,
        ).map("".join),
        st.lists(st.sampled_from(["가온", "AND", "OR", "NOT", "-x", "(", ")", "title:", "새"]), max_size=14).map(
            " ".join
        ),
    )
)
def test_whatever_is_typed_sqlite_takes_it_or_we_say_why_not(index: Writer, query: str) -> None:
    try:
        parsed = parse(query)
    except QueryError:
        return
    try:
        index.connection.execute("SELECT count(*) FROM ft WHERE ft MATCH ?", (parsed.match,)).fetchone()
    except sqlite3.OperationalError as error:
        pytest.fail(f"{parsed.match}: {error}")


def test_terms_that_are_excluded_are_not_marked() -> None:
    assert parse('가온 "독자 모델" -주가 NOT (나래 OR 다온) title:라온').terms == ("가온", "독자 모델", "라온")


def test_the_longest_queries_are_bounded_in_their_expressions() -> None:
    longest = max((parse(query).match for query in _HOSTILE if _is_read(query)), key=len)
    assert longest.count('"') / 2 < 64 * 41, "more phrases than 64 words have forms"


def _is_read(query: str) -> bool:
    try:
        parse(query)
    except QueryError:
        return False
    return True


# -- spellings that do not occur

_PARTS = ("독자", "파운", "데이션", "모델", "이", "AI", "가나")
_SPELT = st.lists(st.sampled_from([*_PARTS, *(f"{part} " for part in _PARTS), "."]), min_size=2, max_size=12).map(
    "".join
)


@pytest.fixture(scope="module")
def spelt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    rng = Random(5)
    with opened_to_write(tmp_path_factory.mktemp("spelt")) as writer:
        texts = ("".join(rng.choice(_PARTS) + rng.choice(["", "", " ", "."]) for _ in range(8)) for _ in range(400))
        writer.replace([], [a_document(number, text) for number, text in enumerate(texts, start=1)])
        yield writer


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_SPELT, st.sampled_from(["{}", '"{}"', "title:{} OR {}", "가나 -{}"]))
def test_without_the_spellings_that_do_not_occur_the_same_is_found(spelt: Writer, words: str, form: str) -> None:
    try:
        match = parse(form.format(*[words] * form.count("{}"))).match
    except QueryError:
        return
    sql = "SELECT rowid FROM ft WHERE ft MATCH ? ORDER BY rowid"
    every, some = (
        spelt.connection.execute(sql, (one,)).fetchall() for one in (match, occurring(spelt.connection, match))
    )
    assert every == some


def test_spellings_that_do_not_occur_are_left_out(index: Writer) -> None:
    match = parse("독자파운데이션모델").match
    assert match.count(" OR ") == 16
    assert (
        occurring(index.connection, match)
        == '("독자 자파 파운 운데 데이 이션 션모 모델" OR "독자 자파 파운 운데 데이 이션 _션모 모델")'
    )
    absent = parse("없는말을만들어낸다").match
    assert occurring(index.connection, absent).count(" OR ") == 0
