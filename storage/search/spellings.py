"""The spellings of a word, reduced to those that occur.

A long word is looked for with spaces in all places where people put them, and each spelling is a phrase. Opening the
lists of all tokens of 17 phrases takes longer than searching them, and most spellings occur nowhere. So each space is
looked for with the tokens next to it: if no text contains these, no text contains a spelling with that space.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from functools import cache

_FEW = 4
"""So many spellings are looked for without a check."""

_PHRASE = r'"[^"]*"(?: \*)?'
_SPELLINGS = re.compile(rf"\({_PHRASE}(?: OR {_PHRASE}){{{_FEW},}}\)")


def occurring(index: sqlite3.Connection, match: str) -> str:
    """The expression without spellings that no text contains. It matches the same articles."""

    @cache
    def occurs(phrase: str) -> bool:
        query = "SELECT EXISTS (SELECT 1 FROM ft WHERE ft MATCH ?)"
        return bool(index.execute(query, (f'"{phrase}"',)).fetchone()[0])

    def reduced(spellings: re.Match[str]) -> str:
        phrases = spellings[0][1:-1].split(" OR ")
        left = [phrase for phrase in phrases if all(map(occurs, _spaces(phrase)))]
        return f"({' OR '.join(left or phrases[:1])})"

    return _SPELLINGS.sub(reduced, match)


def _spaces(phrase: str) -> Iterator[str]:
    """Each token over a space, with its neighbours."""
    _, text, prefix = phrase.split('"')
    tokens = text.split()
    if prefix:
        tokens.pop()  # the beginning of a token
    for at, token in enumerate(tokens):
        if token.startswith("_"):
            yield " ".join(tokens[max(at - 1, 0) : at + 2])
