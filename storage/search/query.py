"""The query language: what a person types, as an expression of SQLite's FTS5.

    업스테이지 소버린            both
    "독자 파운데이션 모델"        a phrase
    솔라 OR 엑사원, NOT 주가, -주가, (…), title:…

A word is found inside compounds and before particles, a space of the query present or missing, and a long word also
with spaces inside. All text of the query is quoted in the expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import NamedTuple, NoReturn

from schemas.errors import QueryError
from schemas.nfc import nfc
from storage.search.tokens import fold, is_syllable, tokens

LONGEST = 1_000
"""The maximum number of characters of a query."""
_MOST_WORDS = 64
_DEEPEST = 20
_MOST_SPACES = 4
"""The number of spaces of a phrase that are tried both present and missing: 16 forms."""
_MOST_FORMS = 64
"""The maximum number of forms of one term: all those of a word of 13 syllables, or of a phrase of five words."""
_LONGEST_WORD = 24
"""The number of characters of the longest word in which spaces are tried."""

_LEXEMES = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=\S))|(?P<title>title:)"
    r'|"(?P<phrase>[^"]*)"|(?P<quote>")|(?P<word>[^\s()"]+))',
    re.IGNORECASE,
)
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_THOUSANDS = re.compile(r"(?<=\d)(?=(?:\d{3})+(?!\d))")


class Lexeme(NamedTuple):
    """A piece of the query, its kind, and where it begins (0: the first character)."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Query:
    """A query: `match` for FTS5, and the `terms` to be highlighted, as they were typed."""

    text: str
    match: str
    terms: tuple[str, ...]


EVERYTHING = Query("", "", ())
"""The query that every article matches."""


def parse(text: str) -> Query:
    """Parse a query. Raises QueryError, which names the position and what was expected there."""
    _check(text)
    text = nfc(text).strip()
    reader = _Reader(text, list(_lexemes(text)))
    match = reader.read()
    return Query(text, match, tuple(dict.fromkeys(reader.terms)))


def _check(text: str) -> None:
    if not text.strip():
        raise QueryError("The query is empty: give at least one word.")
    if len(text) > LONGEST:
        raise QueryError(f"The query has {len(text):,} characters: at most {LONGEST:,} are read.")
    for at, character in enumerate(text, start=1):
        if character == "\0" or 0xD800 <= ord(character) <= 0xDFFF:
            raise QueryError(f"Character {at} of the query, U+{ord(character):04X}, is not text: leave it out.")


def _lexemes(text: str) -> Iterator[Lexeme]:
    for found in _LEXEMES.finditer(text):
        kind = found.lastgroup or ""
        if kind == "quote":
            _fail(text, found.start(kind), 'a closing "')
        at = found.start(kind) - (kind == "phrase")  # its quotation mark
        yield Lexeme(_keyword(kind, found[kind]), found[kind], at)


def _keyword(kind: str, text: str) -> str:
    return text.lower() if kind == "word" and text in ("AND", "OR", "NOT") else kind


def _fail(text: str, at: int, expected: str) -> NoReturn:
    where = f"at character {at + 1}, before {text[at : at + 20]!r}" if at < len(text) else "at its end"
    raise QueryError(f"The query cannot be read {where}: expected {expected}.")


class _Reader:
    """A recursive descent parser: alternatives of conjunctions of terms."""

    def __init__(self, text: str, lexemes: Sequence[Lexeme]) -> None:
        self.terms: list[str] = []
        self._text = text
        self._lexemes = lexemes
        self._at = 0
        self._depth = 0
        self._negated = self._in_title = False
        if sum(one.kind in ("word", "phrase") for one in lexemes) > _MOST_WORDS:
            raise QueryError(f"The query has more than {_MOST_WORDS} words: shorten it.")

    def read(self) -> str:
        match = self._any()
        if (lexeme := self._next()) is not None:
            _fail(self._text, lexeme.at, "a word, or the end")
        return match

    def _next(self) -> Lexeme | None:
        return self._lexemes[self._at] if self._at < len(self._lexemes) else None

    def _takes(self, *kinds: str) -> Lexeme | None:
        lexeme = self._next()
        if lexeme is None or lexeme.kind not in kinds:
            return None
        self._at += 1
        return lexeme

    def _here(self) -> int:
        lexeme = self._next()
        return lexeme.at if lexeme else len(self._text)

    def _any(self) -> str:
        parts = [self._all()]
        while self._takes("or"):
            parts.append(self._all())
        return _joined(parts, "OR")

    def _all(self) -> str:
        began, wanted, unwanted = self._here(), list[str](), list[str]()
        while (lexeme := self._next()) is not None and lexeme.kind not in ("or", "close"):
            if self._takes("and") and (not (wanted or unwanted) or self._next() is None):
                _fail(self._text, lexeme.at, "a word on both sides of AND")
            if self._takes("not", "minus"):
                self._negated = not self._negated
                unwanted.append(self._one())
                self._negated = not self._negated
            else:
                wanted.append(self._one())
        if not wanted:
            _fail(self._text, began, "a word to find" + (" beside what is excluded" if unwanted else ""))
        match = _joined(wanted, "AND")
        return f"({match} NOT {_joined(unwanted, 'OR')})" if unwanted else match

    def _one(self) -> str:
        if self._takes("title"):
            outside, self._in_title = self._in_title, True
            match = self._one()
            self._in_title = outside
            return match
        if lexeme := self._takes("open"):
            return self._group(lexeme)
        if lexeme := self._takes("word", "phrase"):
            return self._term(lexeme)
        _fail(self._text, self._here(), 'a word, a "phrase" or (')

    def _group(self, opened: Lexeme) -> str:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError(f"The query has more than {_DEEPEST} parentheses inside each other.")
        match = self._any()
        if not self._takes("close"):
            _fail(self._text, self._here(), f"the ) of the ( at character {opened.at + 1}")
        self._depth -= 1
        return match

    def _term(self, lexeme: Lexeme) -> str:
        phrases = dict.fromkeys(phrase for form in _forms(lexeme.text) if (phrase := _phrase(form)))
        if not phrases:
            _fail(self._text, lexeme.at, "a letter or a digit to look for")
        if not self._negated:
            self.terms.append(lexeme.text.strip())
        match = _joined(list(phrases), "OR")
        return f"title : {match}" if self._in_title else match


def _joined(parts: Sequence[str], operator: str) -> str:
    return parts[0] if len(parts) == 1 else f"({f' {operator} '.join(parts)})"


def _forms(text: str) -> Iterable[str]:
    """The forms of a term: with fewer spaces, with more, with digits grouped or not."""
    words = text.split()
    forms = chain(_without_spaces(words), _with_spaces("".join(words))) if words else ()
    return dict.fromkeys(islice(forms, _MOST_FORMS))


def _without_spaces(words: Sequence[str]) -> Iterator[str]:
    spaces = len(words) - 1
    for some in product((" ", ""), repeat=min(spaces, _MOST_SPACES)):
        between = (*some, *" " * (spaces - len(some)), "")
        form = "".join(f"{word}{space}" for word, space in zip(words, between, strict=True))
        plain = _GROUPED.sub("", form)
        yield from dict.fromkeys((form, plain, _THOUSANDS.sub(",", plain)))


def _with_spaces(word: str) -> Iterator[str]:
    """A word with one or two spaces inside, where people leave them out."""
    places = [at for at in range(1, len(word)) if _may_part(word, at)] if len(word) <= _LONGEST_WORD else []
    yield from (f"{word[:at]} {word[at:]}" for at in places)
    for at, other in ((at, other) for at in places for other in places if other - at > 1):
        yield f"{word[:at]} {word[at:other]} {word[other:]}"


def _may_part(word: str, at: int) -> bool:
    """Whether a space may be missing here: between two syllables and two others, or within a unit after digits."""
    around = fold(word[max(at - 2, 0) : at + 2])
    if not all(map(is_syllable, word[at - 1 : at + 1])):
        return False
    return (len(around) == 4 and all(map(is_syllable, around))) or word[max(at - 2, 0)].isdigit()


def _phrase(form: str) -> str | None:
    """The phrase of a form's tokens; None if it has none."""
    found = tokens(form).split()
    if not found:
        return None
    first, last = found[0], found[-1]
    if is_syllable(last) and len(found) == 1:
        return f'("{last}" * OR "_{last}" * OR "-{last}" *)'
    if is_syllable(first) and found[1][0] in "_-":
        found = found[1:]  # at the end of a longer word it is not a token by itself
    if is_syllable(last) and len(found[-2]) > 1 and found[-2].endswith(last):
        return f'"{" ".join(found[:-1])}"'  # the pair before includes it, and its run may go on
    may_go_on = is_syllable(last) and is_syllable(found[-2][-1])
    return f'"{" ".join(found)}"{" *" if may_go_on else ""}'
