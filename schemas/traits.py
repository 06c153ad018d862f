"""What a parsed page looks like, and what pages have looked like so far: the values of the drift alarm.

Traits        one page: what was found on it and where, and how long its texts are
MarkCounts    how many pages there were, and on how many of them each mark was
LayoutMemory  the counts of a layout and of its press offices, and its newest pages, not yet in either
Baseline      the memory of all layouts, and how many items each source named in its last readings
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Traits:
    """How one page looks to its parser.

    `layout` is the parser's name and version (`article_page/2`): a mended parser has a new version, and so learns
    anew. `press` is the press office's number (`001`). A mark says something that a page shows or does not show, in
    words for a person (`byline`, `og:title is the title`, `body: <em.img_desc>`). `lengths` are numbers of characters
    or of lines by what they count. Two pages with a number of `sketch` in common show the same text, or most of it.
    """

    layout: str
    press: str
    marks: frozenset[str]
    lengths: tuple[tuple[str, int], ...] = ()
    sketch: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkCounts:
    """On how many of how many pages each mark was. Both fade as newer pages come, hence no whole numbers."""

    pages: float = 0.0
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LayoutMemory:
    """The pages of a layout: counts of all, counts by press office, and the newest ones, not counted yet.

    The newest pages are set apart so that a layout which changes in the course of many small runs still stands out.
    """

    counts: MarkCounts = field(default_factory=MarkCounts)
    presses: Mapping[str, MarkCounts] = field(default_factory=dict)
    recent: tuple[Traits, ...] = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """The rolling memory: by layout, and for each source what its last readings named, oldest first."""

    layouts: Mapping[str, LayoutMemory] = field(default_factory=dict)
    sources: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
