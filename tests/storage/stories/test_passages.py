"""Two texts sentence by sentence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.stories.passages import passages, sentences
from tests.support.prose import prose
from tests.support.prose import sentences as made_up


def kinds(text: str, other: str) -> list[str]:
    return [passage.kind for passage in passages(text, other)]


def test_the_same_text_is_shared_whatever_its_marks() -> None:
    assert set(kinds(prose(1), prose(1).replace(" ", "  ").replace(".", "."))) == {"shared"}


def test_what_was_changed_added_and_left_out() -> None:
    first = made_up(1, 4)
    changed = first[1].replace(first[1].split()[-1], "부인했다.")
    own = made_up(7, 1)
    found = passages(" ".join([first[0], changed, *own, first[3]]), "\n\n".join(first))
    assert [passage.kind for passage in found] == ["shared", "changed", "new", "shared", "missing"]
    assert (found[1].text.strip(), (found[1].other or "").strip()) == (changed, first[1])
    assert found[4].text.strip() == first[2]


def test_sentences_end_where_they_end() -> None:
    text = '값은 3.5억원이다. "끝났다." 그는 말했다.\n\n둘째 문단!\n'
    assert sentences(text) == ["값은 3.5억원이다. ", '"끝났다." ', "그는 말했다.\n\n", "둘째 문단!\n"]


@pytest.mark.parametrize("text", ["", " ", "가" * 10**6, "가." * 10**5, '."' * 10**5, "\n" * 10**6, "!\n" * 10**5])
def test_a_hostile_text_is_bounded_work(text: str) -> None:
    assert {passage.kind for passage in passages(text, prose(1, 3))} <= {"shared", "new", "missing"}


@settings(max_examples=100)
@given(st.text(st.sampled_from('가나 .!"\n3a'), max_size=60))
def test_sentences_together_are_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text
