"""How values are written for people: times, counts and sizes; and Markdown around them.

Text from the web has to go through `escape_markdown`; `link` does it itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from schemas.article import SEOUL
from schemas.find import Status
from schemas.safe_text import escape_markdown, one_line

LISTED = Status.LISTED.value
"""Marks an article of which only the title and a snippet are kept."""


def moment(value: datetime | str | None, timespec: str = "minutes") -> str:
    """A time (or its ISO 8601 form) in Korea: 2025-12-30 09:15. `timespec` is that of `datetime.isoformat`."""
    if not value:
        return ""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time.astimezone(SEOUL).replace(tzinfo=None).isoformat(" ", timespec)


def number(value: Any) -> str:
    """A count; empty for zero."""
    return f"{value:,}" if value else ""


def share(part: int, whole: int) -> str:
    """A part in per cent."""
    return f"{part / whole:.1%}" if whole else ""


def seconds(value: float | None) -> str:
    """A duration; empty for None."""
    return "" if value is None else f"{value:,.1f} s"


def duration(minutes: int, language: str = "en") -> str:
    """Minutes as people say them: 18 minutes, 5 h 18 min, 3 days; in Korean (`ko`) 18분, 5시간 18분, 3일."""
    hours, rest = divmod(minutes, 60)
    if language == "ko":
        return _korean_duration(hours, rest)
    if hours >= 48:
        return f"{round(hours / 24):,} days"
    return f"{hours} h {rest} min" if hours >= 2 else f"{minutes} minute{'' if minutes == 1 else 's'}"


def _korean_duration(hours: int, minutes: int) -> str:
    if hours >= 48:
        return f"{round(hours / 24):,}일"
    parts = [f"{hours}시간"] * bool(hours) + [f"{minutes}분"] * bool(minutes or not hours)
    return " ".join(parts)


def size(value: float | None) -> str:
    """Bytes, in powers of 1,000: 12.3 kB, 313 MB."""
    held, unit = float(value or 0), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if held < 1000:
            break
        held, unit = held / 1000, larger
    return f"{held:,.0f} {unit}" if unit == "B" or held >= 100 else f"{held:,.1f} {unit}"


def counts(numbers: Mapping[Any, int]) -> str:
    """Counts by name: new 3, edited 1. Zeros are left out."""
    return ", ".join(f"{name} {count}" for name, count in numbers.items() if count)


# -- Markdown


def document(head: str, sections: Mapping[str, str]) -> str:
    """A head, and sections by title. Empty ones are left out."""
    return "\n\n".join([head, *(f"## {title}\n\n{body}" for title, body in sections.items() if body)]) + "\n"


def link(text: object, url: str | None) -> str:
    """A link, if the address is one of the web; else only the text."""
    target = one_line(url or "")
    if not target.startswith(("http://", "https://")):
        return escape_markdown(text)
    return f"[{escape_markdown(text)}](<{quote(target, safe=':/?#@!$&=+,;%~-._')}>)"


def table(names: Sequence[str], rows: Sequence[Sequence[str]], *, right: int = 0, none: str = "") -> str:
    """A table of Markdown cells, whose last `right` columns are numbers. `none` if there are no rows."""
    if not rows:
        return none
    rule = ["---"] * (len(names) - right) + ["---:"] * right
    lines = (" | ".join(cell.replace("|", r"\|") for cell in row) for row in (names, rule, *rows))
    return "\n".join(f"| {line} |" for line in lines)


def bullets(lines: Sequence[str], *, most: int, of: int = 0) -> str:
    """The first `most` lines of Markdown as a list, and how many more there are; `of`: how many in all, if more."""
    more = max(len(lines), of) - min(len(lines), most)
    return "\n".join([f"- {line}" for line in lines[:most]] + [f"- and {more:,} more"] * bool(more))
