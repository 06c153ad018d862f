"""Text from the web in Markdown: shown as it is wherever it stands, and not a backslash more than that takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from schemas.safe_text import escape_markdown, one_line

MARKUP = st.sampled_from(
    [*"\\`*_~[]()<>!#&;|.:-+=/@0x \n가", "www.", "http://", "&amp;", "](", "~~", "1. ", "<b"],
)
TEXTS = st.text(max_size=60) | st.lists(MARKUP, max_size=12).map("".join)

PLACES = {
    "paragraph": "{}",
    "behind a word": "앞 {}",
    "heading": "# {}",
    "list": "- {}",
    "link": "- 앞: [{}](<https://example.org/>)",
    "cell": "| 가 |\n| --- |\n| {} |",
    "cell with a link": "| 가 | 나 |\n| --- | --- |\n| [{}](<https://example.org/>) | 뒤 |",
}


def inlines(text: str) -> Iterator[Token]:
    parser = MarkdownIt("commonmark").enable("table").enable("strikethrough")
    return (child for token in parser.parse(text) for child in token.children or ())


def shown(text: str) -> str:
    return "".join(child.content for child in inlines(text))


@pytest.mark.parametrize("place", PLACES)
@given(TEXTS.filter(one_line))
def test_a_text_is_shown_as_it_is_and_is_nothing_but_text(place: str, text: str) -> None:
    said = escape_markdown(text)
    if "|" in PLACES[place]:
        said = said.replace("|", r"\|")  # as `flows.reports.text.table` does
    whole = PLACES[place].format(said)
    around = shown(PLACES[place].format("X"))
    assert shown(whole) == around.replace("X", one_line(text))
    links = {"link_open", "link_close"} if "link" in place else set()
    assert {child.type for child in inlines(whole)} - {"text", "text_special"} <= links
    same = [token.type for token in MarkdownIt("commonmark").enable("table").parse(PLACES[place].format("X"))]
    assert [token.type for token in MarkdownIt("commonmark").enable("table").parse(whole)] == same


@pytest.mark.parametrize(
    "text",
    [
        "97.2점 (종합)",
        "[단독] 가온, ‘세계 1위’… 값은 3~5억원",
        "“나래” 모델 공개 [영상]",
        "AT&T·C# 50% -5도 +3 1.5배 #해시태그",
        "001_0000000001: 2 < 3 > 1",
        "가 | 나 {다} $5 !",
        "2025-12-30 09:15, n.news.naver.com/article",
    ],
)
def test_what_is_no_markup_is_not_escaped(text: str) -> None:
    assert escape_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[눌러](http://evil.example)", r"\[눌러\](http\://evil.example)"),
        ("[x] 할 일", r"\[x\] 할 일"),
        ("[가]: 정의", r"\[가\]: 정의"),
        ("3~5일, 6~7일", r"3\~5일, 6~7일"),
        ("www.evil.example kim@evil.example", r"www\.evil.example kim\@evil.example"),
        ("<b>굵게</b> &lt;", r"\<b>굵게\</b> \&lt;"),
        ("1. 하나", r"1\. 하나"),
        ("# 제목 ##", r"\# 제목 \##"),
        ("_기울임_ 가_나", r"\_기울임\_ 가_나"),
    ],
)
def test_what_is_markup_is_escaped(text: str, expected: str) -> None:
    """GFM makes links of bare addresses, and strikes text between single tildes: the parser of these tests does not."""
    assert escape_markdown(text) == expected


@given(TEXTS)
def test_one_line_without_characters_that_steer(text: str) -> None:
    line = one_line(f"가{text}\x1b[2J\u202e\u2028나")
    assert len(line.splitlines()) == 1
    assert not set(line) & {"\x1b", "\u202e", "\x00", "\n"}
    assert line.encode()
    assert one_line("👩\u200d🚀") == "👩\u200d🚀"  # joined emoji stay joined
