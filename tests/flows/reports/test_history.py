"""The word diff of two revisions."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.reports.history import Hunk, word_diff


def marked(hunks: list[Hunk]) -> str:
    marks = {"equal": "{}", "delete": "[-{}-]", "insert": "{{+{}+}}"}
    return "".join(marks[hunk.op].format(hunk.text) for hunk in hunks)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("모델을 공개했다.", "모델을 내놓았다.", "모델을 [-공개했다-]{+내놓았다+}."),
        ("값은 14억원이다.", "값은 15억원이다.", "값은 [-14억원이다-]{+15억원이다+}."),
        ("하나.\n\n셋.", "하나.\n\n둘.\n\n셋.", "하나.\n\n{+둘.\n\n+}셋."),
        ("하나.\n\n둘.", "하나.", "하나.[-\n\n둘.-]"),
        ("가. 끝", "가. 나. 끝", "가. {+나. +}끝"),
        ("가 나 다", "가 다", "가 [-나 -]다"),
        ("", "새 글", "{+새 글+}"),
        ("같다", "같다", "같다"),
        ("“가” 나, 다", "“라” 마, 다", "“[-가” 나-]{+라” 마+}, 다"),
    ],
)
def test_words_that_differ(before: str, after: str, expected: str) -> None:
    assert marked(word_diff(before, after)) == expected


WORDS = st.lists(
    st.sampled_from(["모델을", "가온,", "“나래”", ".", "\n\n", " ", "\t", "정예팀", "e\u0301", "👍", "2.5%"])
)


@given(WORDS.map("".join), WORDS.map("".join))
def test_both_texts_are_in_the_hunks(before: str, after: str) -> None:
    hunks = word_diff(before, after)
    assert "".join(hunk.text for hunk in hunks if hunk.op != "insert") == before
    assert "".join(hunk.text for hunk in hunks if hunk.op != "delete") == after
    assert all(hunk.text for hunk in hunks)
    for one, next_ in pairwise(hunks):
        assert one.op != next_.op


def test_a_text_that_repeats_itself_takes_no_longer_than_another() -> None:
    began = time.process_time()
    for before, after in (
        ("가, " * 5000, "가, " * 5001),
        ("가, 나 " * 3000, "나 " * 3000),
        ("가 " * 9000, "가 나 " * 9000),
    ):
        hunks = word_diff(before, after)
        assert "".join(hunk.text for hunk in hunks if hunk.op != "delete") == after
    assert time.process_time() - began < 5
