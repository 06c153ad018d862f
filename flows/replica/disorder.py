"""Unstable list orders, and bursts of articles.

shuffled        items a few places away from their chronological position
pages_swapped   every two pages in exchanged order
with_burst      a corpus in which many articles are published within a minute or an hour
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from flows.replica.corpus.articles import Corpus


def shuffled(found: Sequence[int], places: int, rng: Random) -> Sequence[int]:
    """The same items, each at most `places` away from its position."""
    # An item that precedes another by more than `places` still precedes it.
    keys = [at + rng.random() * places for at in range(len(found))]
    return [found[at] for at in sorted(range(len(found)), key=keys.__getitem__)] if places else found


def pages_swapped(found: Sequence[int], size: int) -> Sequence[int]:
    """The same items, with every two pages of `size` items exchanged."""
    swapped: list[int] = []
    for at in range(0, len(found), 2 * size):
        swapped += [*found[at + size : at + 2 * size], *found[at : at + size]]
    return swapped


def with_burst(corpus: Corpus, at: datetime, *, articles: int, within: timedelta) -> Corpus:
    """The corpus with the next `articles` after `at` (aware) published `within` this time after it.

    Raises ValueError if fewer articles follow.
    """
    begin, slots = corpus.since(at), list(corpus.slots)
    first = next((number for number, slot in enumerate(slots) if slot.since >= begin), len(slots))
    if first + articles > len(slots):
        raise ValueError(f"only {len(slots) - first} articles follow {at:%Y-%m-%d %H:%M}: no burst of {articles}")
    span = within.total_seconds()
    for number in range(articles):
        slot = slots[first + number]
        # Never later than before, so that the order remains.
        since = min(slot.since, begin + int(span * number / articles))
        slots[first + number] = slot._replace(since=since)
    return Corpus(corpus.seed, slots, corpus.offices, corpus.first, corpus.last)
