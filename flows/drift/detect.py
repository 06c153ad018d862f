"""Detects drift: marks that new pages of a layout or a press office have, or lack, far more often than before. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from flows.drift.chance import chance, odds_ratio
from flows.drift.memory import is_length, marks_of
from flows.naver.hit_traits import are_hits, letters_before
from flows.naver.traits import ECHOES, FIELDS, TITLE_ENDS, is_of_texts, is_section, is_shape
from schemas.traits import LayoutMemory, MarkCounts, Traits

ENOUGH, ENOUGH_OF_PRESS = 200, 40
"""The number of pages of a layout, and of a press office in it, that are needed before new ones are compared."""
UNLIKELY = 1e-8
"""The probability by chance must be lower. A run tests thousands of counts; a thousand clean runs gave no alarm."""

_FEWEST, _OFF = 3, 2.5  # pages that drift together; the deviation from the expected number
_RARE = 0.02  # a mark on a smaller share of the baseline is not expected on a correct page
_HARDLY = 0.002  # a mark on a smaller share of the baseline is odd on a single page
_MUCH = 10.0  # the minimum odds ratio: a small deviation is no new layout, however unlikely it is
_PER_PRESS, _HITS_PER_PRESS = 6, 16  # pages of one press office in a window: none may dominate the layout
# Marks that a press office may add without any fault.
_GAINS = frozenset((*FIELDS, "image with caption", "e-mail of an author"))
_WINDOWS = (8, 16, 32)
_SELDOM, _LESS_THAN_HALF, _NOTHING = 0.1, 0.4, -1.0  # limits of the share of the baseline
_SOME, _A_GOOD_PART, _NEARLY_ALL, _MANY = 0.2, 0.4, 0.9, 16  # shares of a window; the last is a number of pages
_LETTERS = 6  # different letters before an ending that cannot be due to one story
_ANOTHER_SOURCE = 1e-4  # the probability below which a window full of one section must be from another source


class Page(NamedTuple):
    """A page for comparison: its article's id, its press office, its marks and lengths."""

    id: str
    press: str
    marks: frozenset[str]
    sketch: tuple[int, ...] = ()

    @classmethod
    def of(cls, traits: Traits, name: str = "") -> Page:
        return cls(name, traits.press, marks_of(traits), traits.sketch)


class Scope(NamedTuple):
    """The pages of a layout, or of one press office in it. As text: `article_page/2`, `article_page/2, press 001`."""

    layout: str
    press: str = ""

    def __str__(self) -> str:
        return f"{self.layout}, press {self.press}" if self.press else self.layout

    def concerns(self, page: Page) -> bool:
        """Whether a page of the layout is in this scope."""
        return self.press in ("", page.press)


class Aspect(NamedTuple):
    """A mark that pages of a scope have, or (`gone`) lack."""

    scope: Scope
    mark: str
    gone: bool

    @property
    def of_layout(self) -> Aspect:
        """The same aspect of all press offices."""
        return self._replace(scope=Scope(self.scope.layout))

    def shown_by(self, page: Page) -> bool:
        return self.scope.concerns(page) and (self.mark in page.marks) is not self.gone


@dataclass(frozen=True, slots=True)
class Drift:
    """An aspect that `count` `of` the new pages show, from `presses` press offices; `usual`: the share of earlier ones.

    `shift`: a share or a length that changed, so that a page that does not show the aspect can be wrong as well.
    """

    aspect: Aspect
    count: int
    of: int
    presses: int
    usual: float

    @property
    def shift(self) -> bool:
        return self.usual > _RARE or is_length(self.aspect.mark)

    def __str__(self) -> str:
        what = "missing" if self.aspect.gone else "new" if self.usual < _RARE else "frequent"
        offices = f" of {self.presses} press offices" if self.presses > 1 else ""
        usual = f"usual: {100 * self.usual:.2g} %"
        pages = "hits" if are_hits(self.aspect.scope.layout) else "pages"
        return f"“{self.aspect.mark}” is {what} on {self.count} of {self.of} {pages}{offices} ({usual})"


def find_drifts(layout: str, memory: LayoutMemory, batch: Sequence[Page]) -> list[Drift]:
    """The drifts in a batch, or in it together with the pages before it, the most significant first."""
    before = [Page.of(traits) for traits in memory.recent]
    found: dict[Aspect, Drift] = {}
    for scope in _scopes(layout, memory, batch):
        earlier, new = ([page for page in pages if scope.concerns(page)] for pages in (before, batch))
        for window in _windows(earlier, new):
            for drift in _compared(scope, memory, window):
                if any(drift.aspect.shown_by(page) for page in new):
                    found.setdefault(drift.aspect, drift)
    return sorted(found.values(), key=_significance)


def oddity(scope: Scope, counts: MarkCounts, page: Page) -> Aspect | None:
    """An aspect of a page that hardly any counted page showed; None if there is none."""
    few = _HARDLY * counts.pages
    marks = (mark for mark in page.marks if not mark.startswith(ECHOES) and counts.marks.get(mark, 0.0) <= few)
    if mark := min((mark for mark in marks if not is_section(mark)), default=None):
        return Aspect(scope, mark, gone=False)
    usual = (mark for mark, weight in counts.marks.items() if weight >= counts.pages - few and not is_section(mark))
    mark = min((mark for mark in usual if mark not in page.marks), default=None)
    return Aspect(scope, mark, gone=True) if mark else None


def _significance(drift: Drift) -> tuple[bool, bool, int, str]:
    return drift.shift, is_length(drift.aspect.mark), -drift.count, drift.aspect.mark


def _scopes(layout: str, memory: LayoutMemory, batch: Sequence[Page]) -> Iterator[Scope]:
    """The layout, and the press offices of the batch, if enough of their pages are known."""
    if memory.counts.pages < ENOUGH:
        return
    yield Scope(layout)
    for press in dict.fromkeys(page.press for page in batch):
        if memory.presses.get(press, MarkCounts()).pages >= ENOUGH_OF_PRESS:
            yield Scope(layout, press)


def _windows(before: Sequence[Page], batch: Sequence[Page]) -> Iterator[Sequence[Page]]:
    """The batch, and adjacent windows of each size, from its last page back to some before its first.

    A layout changes from one page to the next: in a large window, the first pages of a new layout would be few.
    """
    yield batch
    pages = [*before, *batch]
    for size in _WINDOWS:
        ends = range(len(pages), max(len(before), size - 1), -size)
        yield from (pages[end - size : end] for end in ends)


def _compared(scope: Scope, known: LayoutMemory, window: Sequence[Page]) -> Iterator[Drift]:
    """The drifts in a window. For a layout, the number of pages of one press office is limited."""
    pages = window if scope.press else _spread(window, _HITS_PER_PRESS if are_hits(scope.layout) else _PER_PRESS)
    counts = known.presses[scope.press] if scope.press else known.counts
    off = list(_off(counts, pages))
    most_usual = _NOTHING if _are_unknown(pages, known) else _most_usual(off, len(pages), counts)
    for mark, count, usual in off:
        aspect = Aspect(scope, mark, gone=count * counts.pages < usual * len(pages))
        if is_section(mark) or _may_begin(aspect, known.counts):
            continue
        counted, expected = (len(pages) - count, counts.pages - usual) if aspect.gone else (count, usual)
        if not _is_significant_share(aspect, counted, len(pages), expected / counts.pages, most_usual):
            continue
        if not _unlikely(counted, len(pages), expected, counts.pages):
            continue
        shown = [page for page in pages if aspect.shown_by(page)]
        presses = len({page.press for page in shown})
        if (presses > 1 or scope.press) and not _copied(aspect, shown, len(pages), expected, counts.pages):
            yield Drift(aspect, counted, len(pages), presses, expected / counts.pages)


def _are_unknown(pages: Sequence[Page], known: LayoutMemory) -> bool:
    """Whether most pages are from unknown press offices: then a new source is read, with other kinds of articles."""
    return 2 * sum(page.press not in known.presses for page in pages) > len(pages)


def _most_usual(off: Sequence[tuple[str, int, float]], of: int, counts: MarkCounts) -> float:
    """The largest share of the baseline for which a property of articles in this window can count as drift.

    If one section is unusually frequent, a new source may be read, with other kinds of articles. If many pages of the
    section are known, what is `_RARE` still counts; otherwise nothing does.
    """
    usuals = [usual for mark, count, usual in off if is_section(mark) and _is_often(count, of, usual, counts)]
    if not usuals:
        return _LESS_THAN_HALF
    return _RARE if min(usuals) >= ENOUGH_OF_PRESS else _NOTHING


def _is_often(count: int, of: int, usual: float, counts: MarkCounts) -> bool:
    more = count * counts.pages > usual * of
    return more and chance(count, of, usual=usual, pages=counts.pages) < _ANOTHER_SOURCE


def _may_begin(aspect: Aspect, layout: MarkCounts) -> bool:
    """Whether a mark that is new to a press office is harmless.

    So are fields, and elements that are known from other press offices, because the parser supports them.
    """
    if not aspect.scope.press or aspect.gone:
        return False
    if are_hits(aspect.scope.layout):
        return aspect.mark.startswith(TITLE_ENDS)  # a series, or pictures of one event
    known = is_shape(aspect.mark) and layout.marks.get(aspect.mark, 0.0) > _HARDLY * layout.pages
    return aspect.mark in _GAINS or aspect.mark.startswith("kind ") or known


def _is_significant_share(aspect: Aspect, count: int, of: int, usual: float, most_usual: float) -> bool:
    """Whether so many pages of a window indicate a change of the site, and not only other articles.

    A new source has articles on other topics, shorter ones, more pictures, no bylines: that concerns some of the pages,
    a change of the site (nearly) all. For what no page has shown before, a smaller share suffices: a good part for
    elements, some for doubts and contradictions, because a wrong picture is visible only on pages with pictures.
    """
    mark, own = aspect.mark, is_shape(aspect.mark)
    if are_hits(aspect.scope.layout) and mark.startswith(TITLE_ENDS):
        return not aspect.gone and of >= _WINDOWS[0] and count >= _NEARLY_ALL * of and usual <= _LESS_THAN_HALF
    of_articles = is_length(mark) or is_of_texts(mark) or (own and aspect.gone)
    settled = not aspect.scope.press and most_usual == _LESS_THAN_HALF
    if usual <= _RARE and not of_articles and (settled or not own):
        return count >= (_A_GOOD_PART if own else _SOME) * of
    most = min(_SELDOM if is_length(mark) else _LESS_THAN_HALF, most_usual if of_articles else 1.0)
    return of >= _MANY and count >= _NEARLY_ALL * of and usual <= most


def _off(counts: MarkCounts, pages: Sequence[Page]) -> Iterator[tuple[str, int, float]]:
    """The marks with an unexpected number of pages: mark, pages with it, earlier pages with it.

    A fast filter, which excludes nearly all marks of nearly all windows.
    """
    shown = Counter(chain.from_iterable(page.marks for page in pages))
    share = len(pages) / counts.pages
    for mark, usual in counts.marks.items():
        count = shown.pop(mark, 0)
        if not -_OFF < count - usual * share < _OFF:
            yield mark, count, min(usual, counts.pages)
    yield from ((mark, count, 0.0) for mark, count in shown.items() if count >= _FEWEST)


def _copied(aspect: Aspect, shown: Sequence[Page], of: int, usual: float, pages: float) -> bool:
    """Whether a line or an element is due to copies: many press offices publish the same release on the same day.

    Any mark of hits may be due to copies, because lists show the same article repeatedly. An ending may be due to one
    story.
    """
    if are_hits(aspect.scope.layout):
        if (
            aspect.mark.startswith(TITLE_ENDS)
            and letters_before(aspect.mark, [page.marks for page in shown]) < _LETTERS
        ):
            return True
    elif not (aspect.mark.startswith(ECHOES) or is_shape(aspect.mark)):
        return False
    return not _unlikely(_texts(shown), of, usual, pages)


def _texts(pages: Sequence[Page]) -> int:
    """The number of different texts on the pages."""
    known: set[int] = set()
    texts = 0
    for page in pages:
        texts += known.isdisjoint(page.sketch)
        known.update(page.sketch)
    return texts


def _unlikely(count: int, of: int, usual: float, pages: float) -> bool:
    if count < _FEWEST or odds_ratio(count, of, usual=usual, pages=pages) < _MUCH:
        return False
    return chance(count, of, usual=usual, pages=pages) < UNLIKELY


def _spread(window: Sequence[Page], most: int) -> list[Page]:
    """The window with at most `most` pages of each press office, the newest ones."""
    taken: Counter[str] = Counter()
    kept = []
    for page in reversed(window):
        taken[page.press] += 1
        if taken[page.press] <= most:
            kept.append(page)
    return kept
