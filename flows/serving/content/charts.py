"""The geometry of the charts, which the templates draw as SVG. Pure. Colours are classes of the style sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

COLOURS = 8
"""Classes c0 … c7 of the style sheet; further names share the last one."""

WIDTH, HEIGHT = 720.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 22.0, 14.0, 26.0
"""Margins for the labels."""
_TALL = HEIGHT - _BOTTOM - _TOP
_ROUNDED = 0.995
_WIDEST = 64.0
"""The width of the bars of a chart with few days."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle in the units of the view box, its colour, and what it says."""

    x: float
    y: float
    width: float
    height: float
    colour: int
    says: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars by day: rectangles, lines of the scale (y, text), labels of days (x, text), and the legend.

    An entry of the legend is a name, its colour, and its total as text.
    """

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str], ...]
    legend: tuple[tuple[str, int, str], ...]


def colours(names: Sequence[str]) -> dict[str, int]:
    """A colour of each name that does not depend on how often it is met: in the order of the names."""
    return {name: min(number, COLOURS - 1) for number, name in enumerate(sorted(names))}


def stacked(
    days: Sequence[date], counts: Mapping[tuple[date, str], float], colour: Mapping[str, int], *, unit: str = ""
) -> Chart:
    """Numbers by day and name, for the names that have a colour, and with the days on which there were none.

    `unit`: what follows a number in the words of a bar. Totals are of numbers without one.
    """
    shown = {key: count for key, count in counts.items() if key[1] in colour}
    sums = {day: round(sum(count for (one, _), count in shown.items() if one == day), 1) for day in days}
    # Shares that were rounded may add up to a little more than the whole.
    most = ceil(max(sums.values(), default=0) * (_ROUNDED if unit else 1))
    step = _step(most)
    top = step * max(1, -(-most // step))
    totals = {name: sum(count for (_, one), count in shown.items() if one == name) for name in colour}
    width = (WIDTH - _LEFT - _RIGHT) / max(len(days), 1)
    return Chart(
        tuple(_bars(days, shown, colour, top, unit)),
        tuple((HEIGHT - _BOTTOM - value / top * _TALL, f"{value:,}") for value in range(0, top + 1, step)),
        tuple(_labels(days, width)),
        tuple((name, colour[name], "" if unit else f"{total:,}") for name, total in totals.items() if total),
    )


def _bars(
    days: Sequence[date], counts: Mapping[tuple[date, str], float], colour: Mapping[str, int], top: int, unit: str
) -> Iterator[Bar]:
    width = (WIDTH - _LEFT - _RIGHT) / max(len(days), 1)
    wide = min(0.76 * width, _WIDEST)
    for number, day in enumerate(days):
        base = HEIGHT - _BOTTOM
        for name in colour:
            if not (count := counts.get((day, name), 0)):
                continue
            tall = count / top * _TALL
            base -= tall
            x = _LEFT + (number + 0.5) * width - wide / 2
            yield Bar(x, base, wide, tall, colour[name], f"{day:%Y-%m-%d} {name} {round(count, 1):,}{unit}")


def _step(most: int) -> int:
    """The distance of the lines of a scale: 1, 2 or 5 times a power of ten, at most five lines."""
    step = 1
    while most / step > 4:
        step = next(more for more in _steps() if more > step)
    return step


def _steps() -> Sequence[int]:
    return [digit * 10**power for power in range(9) for digit in (1, 2, 5)]


def _labels(days: Sequence[date], width: float) -> list[tuple[float, str]]:
    every = max(1, -(-len(days) // 7))
    chosen = [(number, day) for number, day in enumerate(days) if (len(days) - 1 - number) % every == 0]
    return [(_LEFT + (number + 0.5) * width, f"{day.month}.{day.day}.") for number, day in chosen]
