"""Where the words of a query stand in a text."""

from __future__ import annotations

import pytest

from storage.search.snippets import pattern, snippet, whole


def marked(text: str, *terms: str) -> str:
    return snippet(text, [pattern(term) for term in terms]).marked("[", "]")


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("모델", "독자 모델을 모델이라", "독자 [모델]을 [모델]이라"),
        ("독자모델", "독자 모델과 독자모델", "[독자 모델]과 [독자모델]"),
        ("독자 모델", "독자모델", "[독자모델]"),
        ("ai", "AI와 OpenAI, ai", "[AI]와 OpenAI, [ai]"),
        ("LG전자", "LG 전자와 lg전자", "[LG 전자]와 [lg전자]"),
        ("A.X K1", "새 A.X K1은", "새 [A.X K1]은"),
        ("1000억", "1,000억과 1000억", "[1,000억]과 [1000억]"),
        ("1,000억", "1000억", "[1000억]"),
        ("李대통령", "李대통령은", "[李대통령]은"),
        ("한·미", "한·미 회담", "[한·미] 회담"),
    ],
)
def test_a_term_is_marked_as_it_is_found(term: str, text: str, expected: str) -> None:
    assert marked(text, term) == expected


def test_marks_do_not_overlap() -> None:
    assert marked("독자모델", "독자모델", "자모") == "[독자모델]"


def test_a_long_text_is_cut_where_most_terms_are() -> None:
    text = f"가온이 왔다. {'앞의 이야기가 길다. ' * 40}가온과 나래가 왔다. {'뒤의 이야기도 길다. ' * 40}"
    cut = marked(text, "가온", "나래")
    assert cut.startswith("… ")
    assert cut.endswith(" …")
    assert "[가온]과 [나래]가 왔다." in cut
    assert len(cut) < 180


def test_a_text_without_the_terms_shows_its_beginning() -> None:
    assert marked("짧은 글이다.", "나래") == "짧은 글이다."


def test_a_snippet_is_one_line() -> None:
    assert marked("첫 문단\n\n나래의\t문단", "나래") == "첫 문단 [나래]의 문단"


def test_a_title_is_never_cut() -> None:
    assert whole("긴 제목 " * 100 + "나래", [pattern("나래")]).marked().endswith("**나래**")


@pytest.mark.parametrize("text", ["a" + "!" * 1_000_000, "가 " * 500_000, "a!" * 500_000, "1," * 500_000])
def test_no_text_keeps_it_busy(text: str) -> None:
    assert len(marked(text, "a!b", "가나다라마", "1,2", "나 다")) < 400
