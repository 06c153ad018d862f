"""The geometry of the charts, which the templates draw as SVG. Pure. Colours are classes of the style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

COLOURS = 8
"""Classes c0 … c7 of the style sheet; further names share the last one."""

WIDTH, HEIGHT = 720.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 36.0, 22.0, 14.0, 26.0
"""Margins for the labels."""


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
    """Stacked bars by day: rectangles, lines of the scale (y, number), labels of days (x, text), and the legend."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, int], ...]
    labels: tuple[tuple[float, str], ...]
    legend: tuple[tuple[str, int, int], ...]
    days: tuple[date, ...]


def colours(names: Sequence[str]) -> dict[str, int]:
    """A colour of each name that does not depend on how often it is met: in the order of the names."""
    return {name: min(number, COLOURS - 1) for number, name in enumerate(sorted(names))}


def daily(counts: Mapping[tuple[date, str], int], first: date, last: date, colour: Mapping[str, int]) -> Chart:
    """Articles by day and name, with the days on which there were none."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    sums = {day: sum(number for (one, _), number in counts.items() if one == day) for day in days}
    step = _step(max(sums.values(), default=0))
    top = step * max(1, -(-max(sums.values(), default=0) // step))
    height, width = HEIGHT - _BOTTOM - _TOP, (WIDTH - _LEFT - _RIGHT) / max(len(days), 1)
    bars: list[Bar] = []
    for number, day in enumerate(days):
        base = HEIGHT - _BOTTOM
        for name in colour:
            if not (count := counts.get((day, name), 0)):
                continue
            tall = count / top * height
            base -= tall
            x = _LEFT + number * width + width * 0.12
            bars.append(Bar(x, base, width * 0.76, tall, colour[name], f"{day:%Y-%m-%d} {name} {count}"))
    totals = {name: sum(count for (_, one), count in counts.items() if one == name) for name in colour}
    return Chart(
        tuple(bars),
        tuple((HEIGHT - _BOTTOM - value / top * height, value) for value in range(0, top + 1, step)),
        tuple(_labels(days, width)),
        tuple((name, colour[name], total) for name, total in totals.items() if total),
        tuple(days),
    )


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
