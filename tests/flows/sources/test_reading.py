"""The order of items across pages: new items may push others on, and nothing else may be shown twice."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from flows.sources.reading import OrderCheck


def kept(*pages: str) -> bool:
    """Whether the order was kept; a page is a string, each letter an item."""
    order = OrderCheck()
    for page in pages:
        order.add(list(page))
    return order.kept


def pages_while_items_arrive(size: int, arriving: list[int]) -> Iterator[list[str]]:
    """The pages of a list to whose top so many new items are added before each further page is read."""
    items = [f"old {number}" for number in range(60)]
    for at, number in enumerate([0, *arriving]):
        items = [f"new {at}-{n}" for n in range(number)] + items
        yield items[at * size : (at + 1) * size]


def test_each_item_once_is_in_order() -> None:
    assert kept("abc", "def", "g")


def test_items_that_new_ones_pushed_on_are_in_order() -> None:
    assert kept("abc", "cde", "efg")


def test_an_item_that_comes_again_later_has_moved() -> None:
    assert not kept("abc", "def", "agh")
    assert not kept("abc", "dac")
    assert not kept("abc", "cbd")


def test_once_moved_is_moved() -> None:
    assert not kept("abc", "dac", "efg")


@given(size=st.integers(2, 8), arriving=st.lists(st.integers(0, 8), max_size=4))
def test_new_items_alone_never_disturb_the_order(size: int, arriving: list[int]) -> None:
    order = OrderCheck()
    for page in pages_while_items_arrive(size, [min(number, size) for number in arriving]):
        order.add(page)
    assert order.kept
