"""Two texts sentence by sentence: what of the one stands in the other, what is changed, new or missing."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from storage.stories.sketch import LONGEST, letters, shingles

Kind = Literal["shared", "changed", "new", "missing"]

CHANGED = 0.3
"""Share of a sentence that stands in the other text, from which on the sentence is a changed one and not a new one."""

_SENTENCE = re.compile(r"(?<=[.!?…])(?<!\d\.)[\"'”’)\]]*\s+|\n+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence with the white space after it. `other`: the sentence of the other text that it was changed from."""

    kind: Kind
    text: str
    other: str | None = None


def passages(text: str, other: str) -> list[Passage]:
    """All sentences of `text`, in order, then those of `other` that it lacks. Of the first LONGEST characters each."""
    own, others = sentences(text[:LONGEST]), sentences(other[:LONGEST])
    here, there = _index(own), _index(others)
    found = [_passage(sentence, others, there) for sentence in own]
    return [*found, *(Passage("missing", sentence) for sentence in others if _share(sentence, here) < CHANGED)]


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with the white space after it: together they are the text."""
    return list(_cut(text))


def _cut(text: str) -> Iterator[str]:
    begin = 0
    for found in _SENTENCE.finditer(text):
        if text[begin : found.start()].strip():
            yield text[begin : found.end()]
            begin = found.end()
    if begin < len(text):
        yield text[begin:]


def _index(of: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """In which of these sentences each shingle stands; one over the end of a sentence in none."""
    index: defaultdict[str, list[int]] = defaultdict(list)
    for number, sentence in enumerate(of):
        for shingle in shingles(letters(sentence)):
            index[shingle].append(number)
    for shingle in shingles(letters("".join(of))):
        index.setdefault(shingle, [])
    return index


def _passage(sentence: str, others: Sequence[str], there: Mapping[str, Sequence[int]]) -> Passage:
    share = _share(sentence, there)
    if share == 1.0:
        return Passage("shared", sentence)
    votes = Counter(number for shingle in shingles(letters(sentence)) for number in there.get(shingle, ())[:20])
    if share < CHANGED or not votes:
        return Passage("new", sentence)
    return Passage("changed", sentence, others[votes.most_common(1)[0][0]])


def _share(sentence: str, index: Mapping[str, Sequence[int]]) -> float:
    """The share of a sentence that stands in the other text; 1 of a sentence without letters."""
    own = shingles(letters(sentence))
    return 1.0 if own == {""} else sum(shingle in index for shingle in own) / len(own)
