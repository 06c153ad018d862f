"""The other file format of the existing archive: a date, then plain text. Title, URL and publisher are unknown.

The text begins on the line of the date or below it, and is not escaped. seogo only reads this format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from schemas.errors import FrontMatterError

_DATE_LINE = re.compile(r"\ufeff?\s*date[ \t]+([0-9]{4}-[0-9]{2}-[0-9]{2})(?!\S)")


@dataclass(frozen=True, slots=True)
class PlainDocument:
    """A text and its date in Korea, which is all that such a file contains. The body has no surrounding white space."""

    date: date
    body: str


def looks_plain(text: str) -> bool:
    """Whether the text begins like this format. A text with front matter never does."""
    return _DATE_LINE.match(text) is not None


def loads_plain(text: str, *, file: str = "<text>") -> PlainDocument:
    """Read a date and the text after it. Raises FrontMatterError with `file`, line and reason."""
    start = _DATE_LINE.match(text)
    if start is None:
        raise FrontMatterError("the text does not begin with 'date YYYY-MM-DD'", line=1, file=file)
    line = text.count("\n", 0, start.end()) + 1
    try:
        day = date.fromisoformat(start[1])
    except ValueError as error:
        raise FrontMatterError(f"{start[1]} is not a valid date ({error})", line=line, file=file) from error
    body = text[start.end() :].strip()
    if not body:
        raise FrontMatterError("there is no text after the date", line=line, file=file)
    return PlainDocument(day, body)
