"""The values of the drift alarm: how a parsed page looks, and how earlier pages looked.

Traits        one page: what was found on it and where, and how long its texts are
MarkCounts    the number of pages, and on how many of them each mark was
LayoutMemory  the counts of a layout and of its press offices, and its newest pages, which are not counted yet
Baseline      the memory of all layouts, and the number of items of each source in its last readings
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Traits:
    """The properties of one page that its parser saw.

    `layout` is the parser's name and version (`article_page/2`): a corrected parser has a new version, and therefore
    starts with an empty memory. `press` is the press office's number (`001`). A mark is a property that a page has or
    lacks, in words (`byline`, `og:title is the title`, `body: <em.img_desc>`). `lengths` are numbers of characters or
    lines, by what they count. Two pages with a common number in `sketch` have the same text, or most of it.
    """

    layout: str
    press: str
    marks: frozenset[str]
    lengths: tuple[tuple[str, int], ...] = ()
    sketch: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkCounts:
    """The number of pages, and of pages with each mark. Older pages lose weight, hence no whole numbers."""

    pages: float = 0.0
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LayoutMemory:
    """The pages of a layout: the counts in total, the counts by press office, and the newest pages, not counted yet.

    The newest pages are separate, so that a change that extends over many small runs is still detected.
    """

    counts: MarkCounts = field(default_factory=MarkCounts)
    presses: Mapping[str, MarkCounts] = field(default_factory=dict)
    recent: tuple[Traits, ...] = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """The memory of each layout, and the number of items in the last readings of each source, oldest first."""

    layouts: Mapping[str, LayoutMemory] = field(default_factory=dict)
    sources: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
