"""Where the words of a query stand in a text, and the part of the text with most of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from storage.search.tokens import LETTER

_WIDTH = 160
"""Characters of a snippet."""
_BEFORE = 30
"""At most so many of them before the first word of the query."""
_MOST_MARKS = 200
"""Places of each word that are considered, from the beginning of a text."""

_PIECE = re.compile(rf"(?P<syllables>[가-힣]+)|(?P<letters>{LETTER}+)|(?P<digits>[\d,]*\d)|[㐀-鿿]")
_BETWEEN = r"[\W_]{0,8}"
_GAP = re.compile(r"\s+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text, and the spans in it that match the query (0: its first character), in order."""

    text: str
    marks: tuple[Span, ...]

    def marked(self, before: str = "**", behind: str = "**") -> str:
        """The piece with its marks written into it."""
        parts, at = [], 0
        for begin, end in self.marks:
            parts += [self.text[at:begin], before, self.text[begin:end], behind]
            at = end
        return "".join([*parts, self.text[at:]])


def pattern(term: str) -> re.Pattern[str]:
    """How a term may be written in a text: with spaces or without, whole Latin words, digits grouped or not."""
    pieces = [_written(piece) for piece in _PIECE.finditer(term)]
    return re.compile(_BETWEEN.join(pieces), re.IGNORECASE)


def _written(piece: re.Match[str]) -> str:
    match piece.lastgroup:
        case "syllables":
            return r"\s?".join(piece[0])
        case "letters":
            return rf"(?<!{LETTER}){re.escape(piece[0])}(?!{LETTER})"
        case "digits":
            return rf"(?<!\d){',?'.join(piece[0].replace(',', ''))}(?!\d)"
        case _:
            return piece[0]


def whole(text: str, terms: Sequence[re.Pattern[str]]) -> Snippet:
    """A short text, all of it."""
    return _cut(text, 0, len(text), [(begin, end) for begin, end, _ in _places(text, terms)])


def snippet(text: str, terms: Sequence[re.Pattern[str]]) -> Snippet:
    """The first part of a text with most of the terms; its beginning if it has none of them."""
    found = _places(text, terms)
    first = _best(found)
    begin = _after_space(text, first - _BEFORE, first)
    end = min(begin + _WIDTH, len(text))
    inside = [(start, stop) for start, stop, _ in found if begin <= start and stop <= end]
    return _cut(text, begin, end, inside)


def _after_space(text: str, begin: int, end: int) -> int:
    """The beginning of a word in this stretch, or that of the stretch."""
    space = _GAP.search(text, begin, end) if begin > 0 else None
    return space.end() if space else max(begin, 0)


def _places(text: str, terms: Sequence[re.Pattern[str]]) -> list[tuple[int, int, int]]:
    """Where the terms stand (begin, end, number of the term), in order of the text."""
    some = ((number, islice(term.finditer(text), _MOST_MARKS)) for number, term in enumerate(terms))
    return sorted((match.start(), match.end(), number) for number, matches in some for match in matches)


def _best(found: Sequence[tuple[int, int, int]]) -> int:
    """Where the first term of the snippet with most different terms begins."""
    best, where = 0, 0
    for at, (start, _, _) in enumerate(found):
        terms = {number for begin, end, number in islice(found, at, at + 32) if end <= start + _WIDTH - _BEFORE}
        if len(terms) > best:
            best, where = len(terms), start
    return where


def _cut(text: str, begin: int, end: int, inside: Sequence[Span]) -> Snippet:
    """A stretch of a text in one line, with an ellipsis where the text continues."""
    marks: list[Span] = []
    parts = ["… "] if begin else []
    length, at = len("".join(parts)), begin
    for start, stop in (*inside, (end, end)):
        if start < at:
            continue  # inside another mark
        for piece, is_mark in ((text[at:start], False), (text[start:stop], True)):
            flat = _GAP.sub(" ", piece)
            if is_mark and flat:
                marks.append((length, length + len(flat)))
            parts.append(flat)
            length += len(flat)
        at = stop
    return Snippet("".join([*parts, " …" if end < len(text) else ""]), tuple(marks))
