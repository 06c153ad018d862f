"""Describe the hits of search pages and lists by marks, which the drift alarm compares with those of earlier hits.

    title                 the hit has one
    title ends: 새창열림  the last letters of its title, for each of some lengths, unless they were searched for

To the alarm, each hit is a page of a layout of its own, such as `hits of search_page/2`.

Words that the site adds to titles follow titles of any kind. Titles of one story can share their last words too, but
then few different letters precede these: never more than four in 14,669 titles of one day, where nine of ten hits of a
search had the same ending (other than what was searched for).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from zlib import crc32

from flows.naver.traits import TITLE_ENDS, UNDECODABLE
from schemas.article import ArticleRef
from schemas.traits import LayoutMemory, MarkCounts, Traits

RIGHT_HITS = LayoutMemory(MarkCounts(1_000, {"title": 1_000.0}))
"""The assumption before any hit was seen, with the weight of so many hits: each has a title, no ending is common."""

_HITS = "hits of "
_ENDINGS = range(2, 26)  # letters: `새창`, `anotherwindowwillopen`
_DIGIT = re.compile(r"\d")
_LABEL = re.compile(r"[\]】]\s*$")  # [포토], [영상]: labels of press offices, which whole lists can share


def are_hits(layout: str) -> bool:
    """Whether a layout is that of hits."""
    return layout.startswith(_HITS)


def hit_traits(ref: ArticleRef, layout: str) -> Traits:
    """The traits of a hit on a page of `layout`. Hits with the same article or title count as copies."""
    title = ref.title or ""
    sketch = tuple(crc32(text.encode("utf-8", "replace")) for text in (ref.key.id, title) if text)
    return Traits(_HITS + layout, ref.key.oid, frozenset(_marks(title, ref.source)), sketch=sketch)


def letters_before(ending: str, pages: Sequence[Set[str]]) -> int:
    """The number of different letters that precede an ending (a mark) in the titles of hits, given by their marks."""
    last = ending.removeprefix(TITLE_ENDS)
    return len({mark for marks in pages for mark in marks if len(mark) == len(ending) + 1 and mark.endswith(last)})


def _marks(title: str, source: str) -> Iterator[str]:
    if not title:
        return
    yield "title"
    if "\ufffd" in title:
        yield UNDECODABLE
    letters, searched = _letters(title), _letters(source.partition(":")[2])
    if not _LABEL.search(title) and letters[-_ENDINGS.start :] not in searched:
        # An ending is at most the title without its first three letters.
        yield from (TITLE_ENDS + letters[-length:] for length in _ENDINGS if length <= len(letters) - 3)


def _letters(text: str) -> str:
    """The letters of a text, with `0` for each digit, so that endings do not differ by numbers alone."""
    return _DIGIT.sub("0", "".join(filter(str.isalnum, text)))
