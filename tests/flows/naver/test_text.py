"""Bytes to text, times, and markup to paragraphs."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from flows.naver.articles.body_text import paragraphs
from flows.naver.clock import parse_stamp, parse_twelve_hours
from flows.naver.decoding import decode
from schemas.article import SEOUL

hangul = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=2)


def text_of(markup: str) -> str:
    body = LexborHTMLParser(f"<body>{markup}").body
    assert body is not None
    return paragraphs(body)


@given(hangul)
def test_both_encodings_of_korean_are_read(text: str) -> None:
    assert decode(text.encode()) == text
    assert decode(b"\xef\xbb\xbf" + text.encode()) == text
    assert decode(b"<html>" + (text * 3 + "\n").encode("cp949")).rstrip() == "<html>" + text * 3


@given(st.binary())
def test_no_bytes_break_decoding(content: bytes) -> None:
    decode(content).encode()


def test_damage_is_replaced_and_changes_nothing_else() -> None:
    page = "서고의 하루. ".encode() * 3000
    assert decode(page[:100] + b"\xff" + page[100:]).count("\ufffd") in {1, 2, 3}
    assert decode(page[:-5] + b"\xec\x84").endswith("\ufffd")
    # The first character beyond the sample is cut in two by it.
    assert decode(b"x" + page).count("\ufffd") == 0
    assert decode(b" " * 20_000 + "서고".encode("cp949")).strip() == "서고"


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("2020.09.19. 오후 8:28", (2020, 9, 19, 20, 28)),
        ("2019.11.02. 오전 8:08", (2019, 11, 2, 8, 8)),
        ("2020.01.01. 오전 12:00", (2020, 1, 1, 0, 0)),
        ("2020.01.01. 오후 12:30", (2020, 1, 1, 12, 30)),
    ],
)
def test_twelve_hours(text: str, clock: tuple[int, int, int, int, int]) -> None:
    assert parse_twelve_hours(text) == datetime(*clock, tzinfo=SEOUL)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_times_come_back_with_their_zone(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    read = parse_stamp(f"{moment:%Y-%m-%d %H:%M:%S}")
    assert read == moment.replace(tzinfo=SEOUL)
    assert read is not None
    assert read.utcoffset() == timedelta(hours=9)


@pytest.mark.parametrize(
    "text", ["", "1일전", "2026-10-07", "2026-13-01 00:00:00", "2026-10-07T08:00:00Z", "２０２６-10-07 08:49:35"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_stamp(text) is None
    assert parse_twelve_hours(text) is None


@pytest.mark.parametrize(
    "text", ["2020.09.19. 오후 13:28", "2020.09.19. 오전 0:28", "2020.09.31. 오후 1:28", "2시간전"]
)
def test_what_is_no_hour_is_none(text: str) -> None:
    assert parse_twelve_hours(text) is None


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("가<br><br>나", "가\n\n나"),
        ("가<br>나", "가\n나"),
        ("가 <br> \xa0 \n<br>\t나", "가\n\n나"),
        ("가<br><br><br><br>나<br>", "가\n\n나"),
        ("<br><br>", ""),
        ("가<p>나</p>다<div>라</div>", "가\n\n나\n\n다\n\n라"),
        ("<p>가</p>\n<p>\xa0</p>\n<p>나</p>", "가\n\n나"),
        ("한 \n\t  줄", "한 줄"),
        ("\xa0가\xa0나\xa0", "가\xa0나"),
        ("국가대표 인<span data-type=ore>공지</span>능", "국가대표 인공지능"),
        ("<b>굵</b>은 <a href=x>글</a>", "굵은 글"),
        ("가<script>나</script><style>다</style><!-- 라 --><iframe>마</iframe>바", "가바"),
        ("<table><tr><td>1</td> <td>2</td></tr>\n<tr><td>3</td><td>4</td></tr></table>", "1 2\n3 4"),
        ("앞<table><tr><td>칸</td></tr></table>뒤", "앞\n\n칸\n\n뒤"),
        ("<ul> <li>가</li> <li>나</li> </ul>다", "가\n나\n\n다"),
        ("가 &lt;b&gt; &amp;amp; 나", "가 <b> &amp; 나"),
        ("가\u200b<br><br>\u200b<br><br>나", "가\n\n나"),
    ],
)
def test_markup_to_paragraphs(markup: str, text: str) -> None:
    assert text_of(markup) == text


@given(
    st.lists(
        st.sampled_from(["가 ", "나", "<br>", "<p>", "</p>", "<td>", "<table>", "</div>", "\xa0", "<b>", "<!--", "\n"])
    )
)
def test_paragraphs_are_never_blank_nor_ragged(pieces: list[str]) -> None:
    text = text_of("".join(pieces))
    for paragraph in text.split("\n\n") if text else []:
        assert paragraph
        assert all(line == line.strip() != "" for line in paragraph.split("\n"))


@pytest.mark.parametrize("unit", ["<span>", "<b>", "<br> ", " ", "<p>가"])
def test_a_megabyte_of_anything_is_read_in_a_moment(unit: str) -> None:
    began = time.perf_counter()
    text_of(unit * (1_000_000 // len(unit)) + "끝")
    assert time.perf_counter() - began < 5
