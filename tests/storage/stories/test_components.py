"""The stories that pairs make up."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.journal import NearDuplicate
from storage.stories.components import JOINED, Member, members
from tests.support.values import NOW


def pair(a: str, b: str, of_a: float = 0.9, of_b: float = 0.9) -> NearDuplicate:
    return NearDuplicate(a, b, 100, of_a, of_b)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_a_story_is_named_by_its_earliest_article() -> None:
    found = members({"1": at(18), "2": at(0), "3": at(30), "4": at(0)}, [pair("1", "2", 0.94, 1.0), pair("1", "3")])
    assert found == [Member("2", "2", 0, None), Member("2", "1", 18, 0.94), Member("2", "3", 30, 0.9)]


def test_of_the_same_minute_the_smaller_id_is_first() -> None:
    assert [one.story for one in members({"1": at(0), "2": at(0)}, [pair("1", "2")])] == ["1", "1"]


def test_an_article_of_unknown_time_comes_last() -> None:
    assert members({"1": None, "2": at(0)}, [pair("1", "2", 0.7, 0.8)]) == [
        Member("2", "2", 0, None),
        Member("2", "1", None, 0.7),
    ]


def test_a_round_up_joins_nothing() -> None:
    published = {"1": at(0), "2": at(1), "9": at(9)}
    assert members(published, [pair("1", "9", 1.0, 0.25), pair("2", "9", 1.0, 0.25)]) == []


def test_a_pair_with_an_article_that_is_not_there_does_not_count() -> None:
    assert members({"1": at(0)}, [pair("1", "2")]) == []


shares = st.sampled_from((0.1, 0.29, JOINED, 0.5, 0.8, 1.0))
some_pairs = st.lists(
    st.builds(
        lambda ids, of_a, of_b: pair(min(ids), max(ids), of_a, of_b),
        st.sets(st.sampled_from("abcdefgh"), min_size=2, max_size=2),
        shares,
        shares,
    ),
    unique_by=lambda one: (one.a, one.b),
)
times = st.fixed_dictionaries({id_: st.none() | st.integers(0, 5).map(at) for id_ in "abcdefg"})


@settings(max_examples=80)
@given(times, some_pairs)
def test_stories_depend_on_no_order_and_two_joined_articles_share_theirs(
    published: dict[str, datetime | None], pairs: list[NearDuplicate]
) -> None:
    found = members(published, pairs)
    assert members(dict(reversed(published.items())), list(reversed(pairs))) == found
    story = {one.id: one.story for one in found}
    assert len(story) == len(found)
    for one in pairs:
        if min(one.of_a, one.of_b) >= JOINED and {one.a, one.b} <= published.keys():
            assert story[one.a] == story[one.b]
    for name in set(story.values()):
        group = [one for one in found if one.story == name]
        assert len(group) > 1
        assert group[0].id == name
        assert all((one.minutes_behind or 0) >= 0 for one in group)
