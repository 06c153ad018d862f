"""The memory of the drift alarm: pages enter the memory of their layout, and older ones lose weight. Pure.

The newest pages of a layout are in `recent`. When newer ones replace them there, they are added to the counts of the
layout and of their press office.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain

from flows.naver.traits import ECHOES
from schemas.traits import LayoutMemory, MarkCounts, Traits

RECENT = 32
"""The number of a layout's newest pages that are not counted yet."""
LAYOUT_PAGES, PRESS_PAGES = 1_000, 300
"""The total weight of the counted pages of a layout, and of a press office. Older pages lose weight exponentially."""
READINGS = 24
"""The number of readings of a source that are stored."""

_MOST_MARKS, _MOST_ECHOES = 300, 60  # of one MarkCounts; the rarest are dropped
_MOST_PRESSES = 100
_FORGOTTEN, _ECHOED = 0.3, 1.5  # weights: a mark seen once, 1,200 pages ago, has less, and so has an echo on one page
_EDGES = (25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 2_400, 3_200, 4_800, 6_400)
_TITLE_EDGES = (10, 15, 20, 25, 50, 75, 100, 150)
_FEW_EDGES = (1, 2, 3, 4, 6, 8, 12, 16, 24)


def marks_of(traits: Traits) -> frozenset[str]:
    """The marks of a page, and its lengths as further marks: `body over 400`, for each of some fixed steps."""
    return traits.marks.union(*(_length_marks(what, size) for what, size in traits.lengths))


@lru_cache(maxsize=8_192)
def _length_marks(what: str, size: int) -> tuple[str, ...]:
    edges = {"paragraphs": _FEW_EDGES, "title": _TITLE_EDGES}.get(what, _EDGES)
    return tuple(f"{what} over {edge}" for edge in edges if size > edge)


def is_length(mark: str) -> bool:
    """Whether a mark describes a length."""
    return " over " in mark and mark.rpartition(" ")[2].isdecimal()


def learn(memory: LayoutMemory, pages: Sequence[Traits]) -> LayoutMemory:
    """The memory extended by these pages, oldest first."""
    waiting = (*memory.recent, *pages)
    settled = waiting[: max(len(waiting) - RECENT, 0)]
    counts = _counted(memory.counts, settled, LAYOUT_PAGES)
    presses = dict(memory.presses)
    for press in dict.fromkeys(page.press for page in settled):
        own = [page for page in settled if page.press == press]
        presses[press] = _within(_counted(presses.get(press, MarkCounts()), own, PRESS_PAGES), counts)
    return LayoutMemory(counts, _best_known(presses), waiting[len(settled) :])


def remember(readings: Sequence[int], items: int) -> tuple[int, ...]:
    """A source's readings, extended by one."""
    return (*readings, items)[-READINGS:]


def _counted(counts: MarkCounts, pages: Sequence[Traits], window: int) -> MarkCounts:
    """The counts with these pages added. If they exceed the window, all weights are scaled down to it."""
    if not pages:
        return counts
    new = Counter(chain.from_iterable(map(marks_of, pages)))
    total = counts.pages + len(pages)
    fade = min(1.0, window / total)
    weights = {mark: round((counts.marks.get(mark, 0.0) + new[mark]) * fade, 2) for mark in {*counts.marks, *new}}
    return MarkCounts(round(total * fade, 2), _kept(weights))


def _kept(weights: Mapping[str, float]) -> dict[str, float]:
    """The marks with enough weight to be stored. An echo needs more than one page."""
    order = sorted(weights, key=lambda mark: (-weights[mark], mark))
    echoes = [mark for mark in order if mark.startswith(ECHOES) and weights[mark] >= _ECHOED][:_MOST_ECHOES]
    marks = [mark for mark in order if not mark.startswith(ECHOES) and weights[mark] >= _FORGOTTEN][:_MOST_MARKS]
    return {mark: weights[mark] for mark in sorted((*marks, *echoes))}


def _within(counts: MarkCounts, layout: MarkCounts) -> MarkCounts:
    """The counts of the marks that the layout's counts contain as well."""
    return MarkCounts(counts.pages, {mark: weight for mark, weight in counts.marks.items() if mark in layout.marks})


def _best_known(presses: Mapping[str, MarkCounts]) -> dict[str, MarkCounts]:
    """The press offices with the most pages, as many as are stored."""
    order = sorted(presses, key=lambda press: (-presses[press].pages, press))
    return {press: presses[press] for press in order[:_MOST_PRESSES]}
