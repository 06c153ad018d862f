"""Unicode normal form C in linear time.

`unicodedata.normalize` uses insertion sort for a run of combining marks: a megabyte of them, which fits on a page,
would take hours. Python's sort is stable as well, and linear for a run that is already in order.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby

_STEP = 256  # one in 256 characters is checked: shorter runs of marks are sorted fast enough
_LIKE_MARKS = frozenset("\u0f73\u0f75\u0f81")  # not marks by class, but composed of marks


def nfc(text: str) -> str:
    """The same as `unicodedata.normalize("NFC", text)`, for any text."""
    checked = text[::_STEP]
    if any(map(unicodedata.combining, checked)) or not _LIKE_MARKS.isdisjoint(checked):
        text = "".join(_in_order("".join(run)) if marks else "".join(run) for marks, run in groupby(text, key=_is_mark))
    return unicodedata.normalize("NFC", text)


def _is_mark(character: str) -> bool:
    return bool(unicodedata.combining(character)) or character in _LIKE_MARKS


def _in_order(marks: str) -> str:
    single = "".join(unicodedata.normalize("NFD", mark) for mark in marks)
    return "".join(sorted(single, key=unicodedata.combining))
