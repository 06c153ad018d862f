"""What chance explains: how likely a count is, given what earlier pages were like. Numbers only."""

from __future__ import annotations

from math import exp, lgamma


def chance(count: float, of: int, *, usual: float, pages: float) -> float:
    """How likely it is that `count` or more `of` so many new pages show what `usual` of `pages` earlier ones showed.

    The tail of the beta-binomial distribution: the binomial one, but for the true rate being known only from the
    earlier pages. Of 1,000 pages that never showed it, three new ones in a row do so once in 500 million times.
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
    """How much more often than usual: the ratio of the odds, each with half a page added so that none is infinite."""
    return ((count + 0.5) / (of - count + 0.5)) / ((usual + 0.5) / (pages - usual + 0.5))


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
