"""What two texts have in common, and that a sketch finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from random import Random
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.stories import hashing
from storage.stories.hashing import SHINGLE, shingle_hashes
from storage.stories.sketch import (
    FEWEST_COMMON,
    LONGEST,
    ONE_IN_COMMON,
    compared_hashes,
    compared_text,
    is_kept,
    letters,
    shared_with,
    shingles,
    sketches,
)
from tests.support.prose import prose, sentences

FOOTER = "\n\n■ 제보하기\n▷ 전화 : 02-000-0000\n▷ 이메일 : jebo@example.org\n▷ 카카오톡 : '가온뉴스' 검색, 채널 추가"


def overlap(a: str, b: str) -> tuple[int, int, int]:
    """The shingles that two compared texts share, and those that each of them has."""
    one, other = map(pc.unique, shingle_hashes([a, b]))
    (shared,) = shared_with(one, [other])
    return shared, len(one), len(other)


def compared(a: str, b: str) -> tuple[int, int, int]:
    return overlap(compared_text(a), compared_text(b))


def sketches_of(*texts: str) -> list[list[int]]:
    """Of compared texts."""
    return list(sketches(list(shingle_hashes(texts))))


def is_candidate(a: str, b: str) -> bool:
    one, other = sketches_of(compared_text(a), compared_text(b))
    common, fewer = len({*one} & {*other}), min(len(one), len(other))
    return common >= FEWEST_COMMON and common * ONE_IN_COMMON >= fewer


def _every_fourth_dropped(lines: list[str]) -> list[str]:
    return [line for number, line in enumerate(lines) if number % 4]


def _words_replaced(lines: list[str]) -> list[str]:
    words = " ".join(lines).split()
    return [" ".join("다른말" if at % 10 == 0 else word for at, word in enumerate(words))]


def _shuffled(lines: list[str]) -> list[str]:
    return Random(1).sample(lines, len(lines))


ALTERATIONS: dict[str, Callable[[list[str]], list[str]]] = {
    "headline and byline": lambda lines: ["[단독] 다른 제목", *lines, "김가온 기자 gaon@example.org"],
    "spaces and quotes": lambda lines: [line.replace(" ", "  ").replace("다.", "다”.") for line in lines],
    "half cut": lambda lines: lines[: len(lines) // 2],
    "order": _shuffled,
    "sentences dropped": _every_fourth_dropped,
    "words replaced": _words_replaced,
    "own lead": lambda lines: [*sentences(999, 4), *lines[: int(len(lines) * 0.6)]],
    "round-up": lambda lines: [*sentences(998, 20), *lines, *sentences(997, 20)],
}


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_an_altered_copy_is_found(alteration: str) -> None:
    found = 0
    for seed in range(20):
        lines = sentences(seed, 24)
        text, copy = "\n".join(lines), "\n".join(ALTERATIONS[alteration](lines))
        assert is_candidate(text, copy), seed
        found += is_kept(*compared(text, copy))
    assert found == 20


def test_texts_that_share_nothing_are_not_compared() -> None:
    assert not any(is_candidate(prose(seed, 24), prose(seed + 1, 24)) for seed in range(20))


def test_each_text_has_its_own_share() -> None:
    lines = sentences(1, 24)
    shared, whole, part = compared("\n".join(lines), "\n".join(lines[:8]))
    assert shared == part
    assert 0.25 < shared / whole < 0.4


def test_a_footer_does_not_count() -> None:
    assert compared_text(prose(1) + FOOTER) == compared_text(prose(1))
    assert compared_text(prose(1) + "\n\n저작권자 ⓒ 가온신문, 무단 전재 금지") == compared_text(prose(1))


def test_words_of_a_footer_in_the_middle_of_a_text_cut_nothing() -> None:
    text = f"{prose(1)}\n\n경찰은 여러분의 제보를 기다린다고 밝혔다.\n\n{prose(2, 18)}"
    assert compared_text(text).endswith(compared_text(prose(2, 18)))


@pytest.mark.parametrize("body", [None, "", "속보", "가" * 149, "!?\n" * 10_000, prose(1, 3), FOOTER])
def test_what_is_too_short_is_not_compared(body: str | None) -> None:
    assert compared_text(body) == ""
    assert sketches_of("") == [[]]


@pytest.mark.parametrize(
    "body",
    [
        "가" * 3_000_000,
        "\u1100\u1161" * 1_000_000,
        "a\u0301" * 1_000_000,
        "🤖" * 1_000_000,
        "\ud800가" * 1_000_000,
        "제보" * 1_500_000,
        "■" * 3_000_000,
    ],
    ids=["one syllable", "jamo", "marks", "emoji", "surrogates", "tips", "squares"],
)
def test_a_hostile_text_is_bounded_work(body: str) -> None:
    text = compared_text(body)
    assert len(text) <= LONGEST
    assert len(shingles(text)) <= LONGEST
    assert len(sketches_of(text)[0]) <= LONGEST


texts = st.text(st.sampled_from("가나다라마 \n.a1"), min_size=0, max_size=400)


@settings(max_examples=60)
@given(texts, texts)
def test_the_overlap_is_symmetrical_and_exact(a: str, b: str) -> None:
    one, other = compared_text(a), compared_text(b)
    if not one or not other:
        return
    mine, others = shingles(one), shingles(other)
    assert overlap(one, other) == (len(mine & others), len(mine), len(others))
    assert overlap(other, one) == (len(mine & others), len(others), len(mine))


@pytest.mark.parametrize(("shared", "is_near"), [(49, False), (50, True)])
def test_half_of_the_shorter_text_makes_a_pair(shared: int, is_near: bool) -> None:
    assert is_kept(shared, 100, 1000) is is_kept(shared, 1000, 100) is is_near


@settings(max_examples=60)
@given(st.lists(st.text(st.sampled_from("가나힣一A1🤖\ud800é \n!"), max_size=400), max_size=4))
def test_the_compared_hashes_are_those_of_the_compared_text(bodies: list[str]) -> None:
    check_hashes(bodies)


def test_so_they_are_of_texts_without_letters_with_a_footer_and_of_any_length() -> None:
    check_hashes([None, prose(1, 24) + FOOTER, "가나다라🤖 " * (LONGEST // 4), "a" * (LONGEST + 1), "!"])


def check_hashes(bodies: Sequence[str | None]) -> None:
    expected = shingle_hashes(map(compared_text, bodies))
    assert [each.to_pylist() for each in compared_hashes(bodies)] == [each.to_pylist() for each in expected]


def test_each_of_several_texts_gets_its_own_overlap() -> None:
    one, *others = map(pc.unique, shingle_hashes([compared_text(prose(seed, 24)) for seed in (1, 2, 1, 3)]))
    assert list(shared_with(one, others)) == [0, len(one), 0]


def _values(hashes: pa.UInt64Array) -> list[int]:
    return [value for value in hashes.to_pylist() if value is not None]


@settings(max_examples=60)
@given(st.lists(texts, max_size=5), st.integers(1, 500))
def test_the_hash_of_a_shingle_depends_on_nothing_else(bodies: list[str], at_once: int) -> None:
    kept = [letters(body) for body in bodies]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_LETTERS_AT_ONCE", at_once)
        found = [_values(hashes) for hashes in shingle_hashes(kept)]
    assert found == [_values(next(shingle_hashes([text]))) for text in kept]
    expected = [[text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)] for text in kept]
    assert [[value % 2**32 for value in each] for each in found] == [
        [crc32(shingle.encode("utf-16-le")) for shingle in each] for each in expected
    ]
    of = dict(zip(chain(*found), chain(*expected), strict=True))
    assert len(of) == len({*of.values()}) == len({shingle for each in expected for shingle in each})


@settings(max_examples=60)
@given(texts)
def test_the_sketch_of_a_part_is_in_the_sketch_of_the_whole(text: str) -> None:
    whole = compared_text(text)
    part, every = sketches_of(whole[: len(whole) // 2], whole)
    assert {*part} <= {*every}
    assert every == sorted({*every})
