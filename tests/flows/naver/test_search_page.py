"""The search page in the forms that it has had: titles as people read them, clusters, results outside Naver."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.naver.search.page import SearchPage, parse_search_page
from schemas.errors import LayoutChanged
from tests.support.naver.search_pages import EARLIER, SPOKEN, TODAY, UNMARKED, Look, Result, page

HOW: dict[str, Any] = {
    "source": "test",
    "seen_at": datetime(2026, 1, 1, tzinfo=UTC),
    "url": "https://search.naver.com/",
}
LOOKS = {"today": TODAY, "before 2026-07": EARLIER, "2025-04": UNMARKED}

SPORTS = "https://m.sports.naver.com/kbaseball/article/001"
CLUSTER = Result(
    "첫 제목",
    1,
    members=(Result("둘째 제목"), Result("셋째 제목", 3), Result("넷째 제목", 4, naver=SPORTS)),
)
RESULTS = (Result("남의 제목"), CLUSTER, Result("다섯째 제목", 5), Result("여섯째 제목"))


def parsed(*results: Result, look: Look = TODAY) -> SearchPage:
    return parse_search_page(page(*results, look=look), **HOW)


def titles(found: SearchPage) -> list[tuple[str, str | None]]:
    return [(ref.key.aid[-1], ref.title) for ref in found.refs]


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_each_hit_has_the_title_that_people_read_there(look: Look) -> None:
    found = parsed(*RESULTS, look=look)
    assert titles(found) == [("1", "첫 제목"), ("3", "셋째 제목"), ("4", "넷째 제목"), ("5", "다섯째 제목")]
    assert [ref.original_url for ref in found.refs] == [
        result.original for result in (CLUSTER, *CLUSTER.members[1:], RESULTS[2])
    ]


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_results_outside_naver_are_counted_and_no_others(look: Look) -> None:
    assert parsed(*RESULTS, look=look).not_hosted == 3
    assert parsed(Result("남의 제목"), look=look).not_hosted == 1
    assert parsed(CLUSTER, look=look).not_hosted == 1


@pytest.mark.parametrize(
    "spoken",
    [
        "<span class='blind'>다른 말</span>",
        "<span hidden>다른 말</span>",
        "<i style='display:none'>다른 말</i>",
        "<span class='x'>새 탭에서 열기</span>",
        "<em>(새창)</em>",
        "<span><span>새 창 열림</span></span><svg></svg>",
    ],
)
def test_words_for_screen_readers_are_no_part_of_a_title(spoken: str) -> None:
    assert titles(parsed(Result("제목", 1), look=Look(spoken=spoken))) == [("1", "제목")]


def test_what_every_link_ends_in_is_no_part_of_a_title_whatever_it_says() -> None:
    assert titles(parsed(*RESULTS, look=Look(spoken="<span class='y'>처음 듣는 말</span>")))[0] == ("1", "첫 제목")


def test_a_title_keeps_its_own_ending() -> None:
    copies = tuple(Result("국가대표 <mark>서고</mark>", aid, site=f"https://press{aid}.example") for aid in range(1, 8))
    found = parsed(Result("새 창 열림에 대하여", 9), *copies)
    assert {ref.title for ref in found.refs} == {"새 창 열림에 대하여", "국가대표 서고"}


def test_a_title_that_is_anothers_is_left_open() -> None:
    content = page(Result("첫 제목", 1), Result("둘째 제목")).replace(
        TODAY.link(Result("첫 제목").original, "tit", "첫 제목").encode(), b""
    )
    found = parse_search_page(content, **HOW)
    assert titles(found) == [("1", None)]
    assert found.not_hosted == 1


def test_of_two_links_to_an_article_the_one_with_a_title_counts() -> None:
    picture = f'<div><div><a href="{Result("", 1).hosted}"><img></a></div></div>'.encode()
    content = page(Result("첫 제목", 1)).replace(
        b'<div class="fds-news-item-list">', b'<div class="fds-news-item-list">' + picture
    )
    assert titles(parse_search_page(content, **HOW)) == [("1", "첫 제목")]


def test_a_title_that_leads_to_naver_itself_is_a_hit() -> None:
    hosted = Result("첫 제목", 1)
    content = page(hosted).replace(hosted.original.encode(), hosted.hosted.encode())
    found = parse_search_page(content, **HOW)
    assert (titles(found), found.refs[0].original_url, found.not_hosted) == ([("1", "첫 제목")], None, 0)


results = st.recursive(
    st.builds(Result, st.just(""), st.one_of(st.none(), st.just(0))),
    lambda members: st.builds(
        Result, st.just(""), st.one_of(st.none(), st.just(0)), members=st.lists(members, max_size=4).map(tuple)
    ),
    max_leaves=8,
)


def numbered(shapes: list[Result]) -> list[Result]:
    """The same results, each with a title and a number of its own; members of members are left out."""
    names = iter(range(1, 1_000))

    def one(shape: Result, *, member: bool = False) -> Result:
        number = next(names)
        members = () if member else tuple(one(inner, member=True) for inner in shape.members)
        return Result(f"제목 {number}", number if shape.aid is not None else None, members=members)

    return [one(shape) for shape in shapes]


@settings(max_examples=40)
@given(st.lists(results, min_size=1, max_size=8), st.sampled_from(list(LOOKS.values())))
def test_any_mixture_of_results(shapes: list[Result], look: Look) -> None:
    shown = numbered(shapes)
    flat = [one for result in shown for one in (result, *result.members)]
    found = parsed(*shown, look=look)
    assert [(int(ref.key.aid), ref.title) for ref in found.refs] == [
        (r.aid, r.title) for r in flat if r.aid is not None
    ]
    assert found.not_hosted == sum(result.aid is None for result in flat)


def test_links_to_elsewhere_without_any_result_are_no_results() -> None:
    with pytest.raises(LayoutChanged):
        parse_search_page(f"<html><body><a href='https://seogo.example/1'>글{SPOKEN}</a></body></html>".encode(), **HOW)
