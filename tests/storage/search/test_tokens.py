"""What `contains` finds as a substring of a paragraph, the index finds: the property, and the tokens it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from schemas.errors import QueryError
from storage.search.index import Writer, opened_to_write
from storage.search.query import parse
from storage.search.tokens import fold, tokens
from tests.support.search import a_document

SYLLABLES = "가나다라한글새모델"
PIECES = st.sampled_from(
    [
        *SYLLABLES,
        *SYLLABLES,
        " ",
        " ",
        "\n",
        "ai",
        "AI",
        "Kx",
        "1",
        "20",
        "李",
        "北",
        "ㅋ",
        ".",
        "·",
        "(",
        "-",
        "_",
        "é",
        "Ａ",
        "㎞",
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=30).map("".join)


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    with opened_to_write(tmp_path_factory.mktemp("index")) as opened:
        yield opened


def found(writer: Writer, text: str, query: str) -> bool:
    """Whether a query finds this text, the only one of the index."""
    one = a_document(text=text)
    writer.replace([one.id], [one])
    matches = writer.connection.execute("SELECT count(*) FROM ft WHERE ft MATCH ?", (parse(query).match,))
    return bool(matches.fetchone()[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("업스테이지가 독자 AI모델", "업스 스테 테이 이지 지가 _가독 독자 자 ai 모 모델 델"),
        ("이 새 정부", "이 _이새 새 _새정 정부 부"),
        ("한·미 대한·미국", "한 -한미 미 _미대 대한 -한미 미국 국"),
        ("A.X-K2 10조원", "a x k 2 10 조 조원 원"),
        ("또한, 미래. (한) 미··국", "또한 한 미래 래 한 미 국"),
        ("문단이다\n\n다음", "문단 단이 이다 다 다음 음"),
        ("문단이다\n다음", "문단 단이 이다 _다다 다음 음"),
        ("李대통령", "李 대 대통 통령 령"),
        ("한글", "한글 글"),  # composed first
        ("10조 원, 10㎞", "10 조 _조원 원 10 km"),
        ("ＡＩ ①2024년 ㈜가온", "ai ① 2024 년 가온 온"),
        ("", ""),
        ("!?…", ""),
    ],
)
def test_a_text_as_tokens(text: str, expected: str) -> None:
    assert tokens(text) == expected


def _pieces(text: str) -> list[str]:
    """A text cut where a query may begin and end: between syllables, around whole words and numbers."""
    return re.findall(r"[가-힣㐀-鿿]|[^\W\d_가-힣㐀-鿿]+|\d+|\s+|.", text)


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, data=st.data())
def test_whatever_contains_finds_is_found(writer: Writer, text: str, data: st.DataObject) -> None:
    pieces = _pieces(fold(text))
    begin = data.draw(st.integers(0, len(pieces) - 1))
    end = data.draw(st.integers(begin + 1, len(pieces)))
    part = "".join(pieces[begin:end])
    assume(not re.search(r"\n\s*\n", part))  # inside one paragraph
    assert part in fold(text)
    try:
        assert found(writer, text, f'"{part}"')
    except QueryError:
        assert not re.search(r"\w", part.replace("_", ""))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, word=st.text(SYLLABLES, min_size=2, max_size=3))
def test_a_short_word_finds_nothing_but_what_contains_it(writer: Writer, text: str, word: str) -> None:
    assert found(writer, text, word) == (word in fold(text))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(SYLLABLES, min_size=2, max_size=4), min_size=2, max_size=3), data=st.data())
def test_spaces_are_found_present_or_missing(writer: Writer, words: list[str], data: st.DataObject) -> None:
    def written() -> str:
        spaces = [data.draw(st.sampled_from(["", " "])) for _ in words[1:]]
        return words[0] + "".join(space + word for space, word in zip(spaces, words[1:], strict=True))

    assert found(writer, f"앞에 {written()} 뒤에", f'"{written()}"')
