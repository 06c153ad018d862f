"""Lists and searches that do not keep still, and hours in which everybody publishes at once.

in_disorder    some items stand a few places from where their date puts them, others in every answer
in_pairs       the first page and the second have changed places, and so on
with_burst     a corpus of which a part comes out within a minute, or an hour
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from flows.replica.corpus import Corpus


def in_disorder(found: Sequence[int], places: int, rng: Random) -> Sequence[int]:
    """The same items, none more than `places` from where it was."""
    # Whoever is ahead of another by more than `places` stays ahead of it.
    keys = [at + rng.random() * places for at in range(len(found))]
    return [found[at] for at in sorted(range(len(found)), key=keys.__getitem__)] if places else found


def in_pairs(found: Sequence[int], size: int) -> Sequence[int]:
    """The same items, with every two pages of `size` in each other's place."""
    swapped: list[int] = []
    for at in range(0, len(found), 2 * size):
        swapped += [*found[at + size : at + 2 * size], *found[at : at + size]]
    return swapped


def with_burst(corpus: Corpus, at: datetime, *, articles: int, within: timedelta) -> Corpus:
    """The corpus with the `articles` that follow `at` (aware) squeezed into the time `within` behind it.

    Raises ValueError where so many do not follow.
    """
    begin, slots = corpus.since(at), list(corpus.slots)
    first = next((number for number, slot in enumerate(slots) if slot.since >= begin), len(slots))
    if first + articles > len(slots):
        raise ValueError(f"{len(slots) - first} articles follow {at:%Y-%m-%d %H:%M}: {articles} cannot come in a burst")
    span = within.total_seconds()
    for number in range(articles):
        slot = slots[first + number]
        # None later than it was: the order stays.
        since = min(slot.since, begin + int(span * number / articles))
        slots[first + number] = slot._replace(since=since)
    return Corpus(corpus.seed, slots, corpus.offices, corpus.first, corpus.last)
