"""Words and models that are more frequent than before, by the log-likelihood ratio (Dunning 1993). Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import log

_WORD = re.compile(r"[가-힣A-Za-z][가-힣A-Za-z0-9.+-]*[가-힣A-Za-z0-9]")
_PARTICLE = re.compile(r"(?<=[가-힣]{2})(?:에서|으로|까지|부터|이라|에게|은|는|이|가|을|를|의|에|로|와|과|도|만)$")
_LEAST = 2
"""Articles that a word has to be in."""
_SIGNIFICANT = 3.84
"""The ratio that chance exceeds in one case of twenty."""


@dataclass(frozen=True, slots=True)
class Rise:
    """A word or model, and how many articles have it now and had it before."""

    word: str
    now: int
    before: int


def words_of(title: str) -> set[str]:
    """The words of a title without particles, each once."""
    return {_PARTICLE.sub("", word) for word in _WORD.findall(title)}


def rising(now: Iterable[Collection[str]], before: Iterable[Collection[str]], *, most: int = 12) -> list[Rise]:
    """The words that a larger share of the articles has now than before, the clearest rise first.

    Of each article, its words, each once. The articles are not kept: there may be a hundred thousand.
    """
    (counts, articles), (past, articles_before) = _counted(now), _counted(before)
    ranked = [
        (score, Rise(word, count, past[word]))
        for word, count in counts.items()
        if count >= _LEAST and (score := _ratio(count, articles, past[word], articles_before)) > _SIGNIFICANT
    ]
    ranked.sort(key=lambda one: (-one[0], one[1].word))
    return [one for _, one in ranked[:most]]


def _counted(articles: Iterable[Collection[str]]) -> tuple[Counter[str], int]:
    """How many articles have each word, and how many there are."""
    counts, number = Counter[str](), 0
    for words in articles:
        counts.update(words)
        number += 1
    return counts, number


def _ratio(a: int, articles: int, b: int, before: int) -> float:
    """The log-likelihood ratio of `a` of `articles` against `b` of `before`; 0 where the share did not rise."""
    if not articles or not before or a / articles <= b / before:
        return 0.0
    share = (a + b) / (articles + before)
    return 2 * (_term(a, articles * share) + _term(b, before * share))


def _term(seen: int, expected: float) -> float:
    return seen * log(seen / expected) if seen else 0.0
