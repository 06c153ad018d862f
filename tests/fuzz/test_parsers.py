"""For any input, every parser returns a value that can be stored, or raises an error of seogo.

`make fuzz` runs the same targets for longer, guided by coverage (tests/fuzz/run.py).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from flows.naver import markup_guard
from flows.naver.articles.layouts import parse_article
from flows.naver.listing import parse_section_more
from flows.naver.nodes import ancestors
from flows.naver.partial_tree import build_tree
from flows.naver.search.api import parse_api_error
from flows.naver.urls import clean_original_url, find_article_key
from schemas.errors import LayoutChanged, SeogoError, TopicError
from schemas.nfc import nfc
from tests.fuzz.mutations import Choose, mutate
from tests.fuzz.targets import HOW, TARGETS, Target
from tests.support.naver import layouts

NAMES = list(TARGETS)
FUZZED = settings(database=None, suppress_health_check=list(HealthCheck))
DECISIONS = st.lists(st.integers(0, 2**16 - 1), min_size=8, max_size=24)


def chooser(numbers: list[int]) -> Choose:
    """Take decisions from a list, and the first option when it is used up, so that hypothesis can shrink it."""
    left: Iterator[int] = iter(numbers)
    return lambda n: next(left, 0) * n >> 16 if n > 2**10 else next(left, 0) % n


@pytest.mark.parametrize("name", NAMES)
def test_a_valid_document_is_parsed(name: str) -> None:
    """Otherwise fuzzing would reach only the first check."""
    target = TARGETS[name]
    assert not isinstance(target(target.seeds()[0]), SeogoError)


@pytest.mark.parametrize("name", NAMES)
@settings(FUZZED, max_examples=100)
@given(seed=st.integers(0, 100), numbers=DECISIONS)
def test_a_mutated_document(name: str, seed: int, numbers: list[int]) -> None:
    target = TARGETS[name]
    seeds = _seeds(target)
    target(mutate(seeds[seed % len(seeds)], seeds, chooser(numbers)))


@pytest.mark.parametrize("name", NAMES)
@settings(FUZZED, max_examples=25)
@given(data=st.binary(max_size=2_000))
def test_raw_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)


def _seeds(target: Target, known: dict[str, tuple[bytes, ...]] = {}) -> tuple[bytes, ...]:  # noqa: B006  a cache
    return known.get(target.name) or known.setdefault(target.name, target.seeds())


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "email", "x"]), inner),
    max_leaves=8,
)


@settings(FUZZED, max_examples=200)
@given(st.sampled_from(["title", "content", "sections", "officeId", "serviceDatetime", "originalUrl"]), ANY_JSON)
def test_any_json_in_any_field_of_an_article(field: str, value: object) -> None:
    TARGETS["sports"](json.dumps(layouts.sports(**{field: value})).encode())


@settings(FUZZED, max_examples=200)
@given(st.sampled_from(["journalistCards", "article"]), ANY_JSON)
def test_any_json_beside_the_article(field: str, value: object) -> None:
    answer = layouts.sports()
    answer["result"]["articleInfo"][field] = value
    TARGETS["sports"](json.dumps(answer).encode())


@settings(FUZZED, max_examples=200)
@given(st.sampled_from(["errorCode", "errorMessage", "message", "error", "items"]), ANY_JSON)
def test_any_json_in_an_error(field: str, value: object) -> None:
    TARGETS["api_error"](json.dumps({field: value}).encode())
    TARGETS["api_error"](json.dumps({"error": {field: value}}).encode())


# --- bugs found by fuzzing -------------------------------------------------------------------------------------------


def test_half_a_character_in_a_script_does_not_become_the_press_office() -> None:
    script = layouts.script().replace("서고신문", "서고\\ud800")
    article = parse_article(layouts.article(logo="", script=script).encode(), layouts.URL)
    assert article.publisher == "서고?"


def test_half_a_character_in_a_section_list_and_its_names() -> None:
    item = f'<li class="sa_item"><a class="sa_text_title" href="{layouts.URL}">서고\\ud800</a></li>'
    item = item.replace('"', "'")
    answer = f'{{"renderedComponent": {{"SECTION_ARTICLE_LIST\\udfff": "{item}"}}}}'
    page = parse_section_more(answer.encode(), **HOW)
    assert [ref.title for ref in page.refs] == ["서고?"]


def test_a_section_without_a_name_of_whole_characters() -> None:
    answer = layouts.sports(sections=["야구\ud800"])
    assert parse_article(json.dumps(answer).encode(), layouts.URL).categories == ("야구?",)


@pytest.mark.parametrize("code", [[[[]]], {"a": 1}, "\ud800", None, 1.5])
def test_an_error_code_that_is_none(code: object) -> None:
    error = parse_api_error(json.dumps({"errorCode": code, "errorMessage": "\ud800"}).encode(), 500)
    assert error is not None
    assert (error.code, error.message) == ("?" if code == "\ud800" else "500", "?")


def test_an_error_code_nested_deeper_than_python_can_print() -> None:
    nested = "[" * 900 + "]" * 900
    error = parse_api_error(f'{{"errorCode": {nested}}}'.encode(), 500)
    assert error is not None
    assert error.code == "500"


@pytest.mark.parametrize("address", [layouts.URL + "?a=\ud800", "https://seogo.example/\udfff"])
def test_half_a_character_in_an_address(address: str) -> None:
    assert find_article_key(address) is None
    assert clean_original_url(address) is None


def test_a_topic_that_extends_a_file_with_an_endless_name() -> None:
    error = TARGETS["topic"](f"extends: {'가' * 2_000}\n".encode())
    assert isinstance(error, TopicError)
    assert "cannot be read" in str(error)


@settings(FUZZED, max_examples=200)
@given(
    st.lists(st.sampled_from("가e\u0300\u0301\u0315\u0344\u0345\u0f71\u0f73\u0f75각é"), max_size=40),
    st.integers(1, 60),
)
def test_the_normal_form_is_pythons(characters: list[str], times: int) -> None:
    text = "".join(characters) * times
    assert nfc(text) == unicodedata.normalize("NFC", text)


# --- the guard before the tree ---------------------------------------------------------------------------------------

DEEP = ["<div>", "<span>", "<section>x", "<p><b a>x</p>", "<div><font a></div>", "<ul><li>", "<table><td>", "<svg><g>"]
TRICKS = [
    "<div><script></div></script>",
    "<div><textarea></div></textarea>",
    "<div><!-- </div> -->",
    "<div><a b='</div>'>",
    '<div><a ="</div>" b>',
    "<div><object></div></object>",
    "<span><div></span>",
    "<div></ div>",
    "<div><select></div></select>",
    "<b><div></b>",
]


@pytest.mark.parametrize("unit", DEEP + TRICKS)
def test_a_page_nested_too_deep_is_refused(unit: str) -> None:
    with pytest.raises(LayoutChanged, match=r"512 (deep|attributes)"):
        parse_article(layouts.article(unit * 30_000).encode(), layouts.URL)


@pytest.mark.parametrize(
    "unit", ["<div><p>가<b>나</b></div>", "<p>가", "<li>", "<a href=x>가", "<br>", "<span>가</span>"]
)
def test_a_long_page_is_not(unit: str) -> None:
    assert parse_article(layouts.article(unit * 4_000).encode(), layouts.URL).title == "서고의 하루"


@pytest.mark.parametrize("tag", ["<div {}>", "<html {}>"])
def test_an_element_with_too_many_attributes_is_refused(tag: str) -> None:
    attributes = " ".join(f"a{number}=1" for number in range(30_000))
    with pytest.raises(LayoutChanged, match="512 attributes"):
        parse_article(layouts.article(tag.format(attributes)).encode(), layouts.URL)


@settings(FUZZED, max_examples=100)
@given(st.lists(st.sampled_from([*DEEP, *TRICKS, "</div>", "</span>", "</b>", "</table>", "</p>", "가"]), max_size=60))
def test_no_tree_is_deeper_than_the_guard_counts(parts: list[str]) -> None:
    """Within a factor of five, because the guard does not count some elements, such as `tbody`, `tr`, `td` and `p`."""
    markup = "".join(parts).encode()
    depth = _depth(markup)
    assume(depth > 3)
    assert _counted(markup) * 5 + 4 >= depth


def _counted(markup: bytes) -> int:
    elements: list[bytes] = []
    deepest = 0
    for closes, name, _ in markup_guard._tags(markup, elements):
        (markup_guard._close if closes else markup_guard._open)(elements, name)
        deepest = max(deepest, len(elements))
    return deepest


def _depth(markup: bytes) -> int:
    return max((len(list(ancestors(node))) for node in build_tree(markup, "").css("*")), default=0)
