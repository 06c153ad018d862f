"""How likely a count of new pages is by chance, given the counts of earlier pages. Numbers only."""

from __future__ import annotations

from math import exp, lgamma


def chance(count: float, of: int, *, usual: float, pages: float) -> float:
    """The probability that at least `count` `of` the new pages show what `usual` of `pages` earlier ones showed.

    The tail of the beta-binomial distribution, because the true rate is known only from the earlier pages. For example:
    after 1,000 pages that never showed it, three in a row do so with a probability of 1 in 500 million.
    """
    a, b = usual + 0.5, pages - usual + 0.5
    at = int(count)
    term = exp(_choose(of, at) + _beta(a + at, b + of - at) - _beta(a, b))
    total = term
    for k in range(at, of):
        term *= (of - k) * (a + k) / ((k + 1) * (b + of - k - 1))
        total += term
    return min(total, 1.0)


def odds_ratio(count: float, of: float, *, usual: float, pages: float) -> float:
    """How much more frequent than usual: the odds ratio, with half a page added to each count, so that it is finite."""
    return ((count + 0.5) / (of - count + 0.5)) / ((usual + 0.5) / (pages - usual + 0.5))


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
