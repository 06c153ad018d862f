"""Parse the time formats that Naver uses. All results are aware (Asia/Seoul); pages write Korean time without a zone.

Times outside the years 1900 to 2199 are rejected: no article has one, and the first and last day of Python's calendar
cannot be converted to UTC, which the database stores.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

from schemas.article import SEOUL

_YEARS = range(1900, 2200)

_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_TWELVE_HOURS = re.compile(
    r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})\.? (오전|오후) ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
)


def parse_stamp(text: str) -> datetime | None:
    """`2026-10-07 08:49:35`; None for anything else."""
    if not _STAMP.fullmatch(text):
        return None
    try:
        return _plausible(datetime.fromisoformat(text).replace(tzinfo=SEOUL))
    except ValueError:
        return None  # the format is right, but there is no such day or hour


def parse_twelve_hours(text: str) -> datetime | None:
    """`2020.09.19. 오후 8:28`; 오전 12 is midnight and 오후 12 is noon. None for anything else."""
    match = _TWELVE_HOURS.fullmatch(text)
    if not match:
        return None
    year, month, day, half, hour, minute, second = match.groups()
    if not 1 <= int(hour) <= 12:
        return None
    hours = int(hour) % 12 + (12 if half == "오후" else 0)
    try:
        time = datetime(int(year), int(month), int(day), hours, int(minute), int(second or 0), tzinfo=SEOUL)
    except ValueError:
        return None
    return _plausible(time)


def parse_mail_date(text: str) -> datetime | None:
    """`Mon, 05 Oct 2026 10:00:00 +0900`; None for anything else, also for a time without a zone."""
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # overflow: a year of ten digits
        return None
    return time.astimezone(SEOUL) if time.tzinfo is not None and _plausible(time) else None


def _plausible(time: datetime) -> datetime | None:
    return time if time.year in _YEARS else None
