"""A chart of any table, if its columns lend themselves to one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import takewhile
from typing import Any

from flows.serving.content.charts import COLOURS, Chart, colours, stacked
from schemas.article import SEOUL

MOST_BARS, MOST_DAYS = 30, 60
_LONGEST_NAME = 40
_SHARE = "percent"

Table = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Bars:
    """The column that is shown, and a bar for each row: its name, and its number."""

    column: str
    rows: tuple[dict[str, Any], ...]


def table_chart(names: Sequence[str], rows: Table) -> Chart | Bars | None:
    """The first column of numbers, by days if the first column has days, by the words in front of it otherwise.

    By days, a column `percent` is shown rather than the numbers that it is made of. None if there is only one row, or
    if there are no numbers behind days or words.
    """
    number = _first_number(rows)
    if number is None or len(rows) < 2:
        return None
    if isinstance(rows[0][0], date):
        share = names.index(_SHARE) if _SHARE in names else None
        return _by_day(rows, number, "") if share is None else _by_day(rows, share, "%")
    words = list(takewhile(lambda place: isinstance(rows[0][place], str), range(number)))
    if not words:
        return None
    shown = [row for row in rows if _is_number(row[number]) and row[number] >= 0][:MOST_BARS]
    bars = ({"name": _name(row, words), "articles": _plain(row[number])} for row in shown)
    return Bars(names[number], tuple(bars)) if any(row[number] for row in shown) else None


def _first_number(rows: Table) -> int | None:
    columns = range(len(rows[0])) if rows else ()
    return next((place for place in columns if any(_is_number(row[place]) for row in rows)), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _plain(value: Any) -> int | float:
    return value if isinstance(value, int) else round(float(value), 1)


def _name(row: Sequence[Any], words: Sequence[int]) -> str:
    name = " · ".join(str(row[place]) for place in words)
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _by_day(rows: Table, number: int, unit: str) -> Chart | None:
    """Stacked by the words of the second column, if there are any: the most frequent of them."""
    has_words = number > 1 and isinstance(rows[0][1], str)
    counts: Counter[tuple[date, str]] = Counter()
    for row in rows:
        if isinstance(row[0], date) and _is_number(row[number]) and row[number] > 0:
            counts[_day(row[0]), row[1] if has_words else ""] += _plain(row[number])  # type: ignore[assignment]
    days = sorted({day for day, _ in counts})[-MOST_DAYS:]
    sums: Counter[str] = Counter()
    for (_, name), count in counts.items():
        sums[name or ""] += count
    shown = colours([name for name, _ in sums.most_common(COLOURS)])
    return stacked(days, counts, shown, unit=unit) if len(days) > 1 else None


def _day(value: date) -> date:
    return value.astimezone(SEOUL).date() if isinstance(value, datetime) else value
