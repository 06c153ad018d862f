"""What a user gave, as values: addresses, times, files, ids. Raises BadInput, each message quoting what was given."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from schemas.errors import AddressError, BadInput

_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Naver News began in this year."""

_DAYS_AGO = {"today": 0, "yesterday": 1}
_AGO = re.compile(r"([0-9]{1,4})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest input that is read: a pipe or a device may never end."""


def addresses_from(urls: list[str], from_file: Path | None) -> tuple[str, ...]:
    """The addresses of both options, all of Naver articles. Raises BadInput, AddressError."""
    from flows.naver.urls import article_key

    for url in urls:
        article_key(url)
    listed = _lines(from_file) if from_file else {}
    for number, url in listed.items():
        try:
            article_key(url)
        except AddressError as error:
            raise BadInput(f"{from_file}:{number}: {error}") from error
    return (*urls, *listed.values())


def _lines(file: Path) -> dict[int, str]:
    """Line number -> line of a file, without blank lines and lines that begin with #."""
    lines = {number: line.strip() for number, line in enumerate(text_of(file).splitlines(), start=1)}
    used = {number: line for number, line in lines.items() if line and not line.startswith("#")}
    if not used:
        raise BadInput(f"{file} contains no address: write one per line.")
    return used


def time_from(option: str, text: str) -> datetime:
    """A day or a time; Korean time if it has no offset, and midnight if it is a day. Raises BadInput.

    Also `today`, `yesterday`, and so long ago: `7d`, `12h`, `30m`.
    """
    from schemas.article import SEOUL

    now = datetime.now(SEOUL)
    if text in _DAYS_AGO:
        return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=_DAYS_AGO[text])
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        said = "write 2025-12-28, 2025-12-28T09:30, yesterday or 7d"
        raise BadInput(f"{option} {text!r} is not a time: {said}.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SEOUL)


def since_from(text: str | None) -> datetime | None:
    """The value of --since, a time between 2000 and now. Raises BadInput."""
    if text is None:
        return None
    moment = time_from("--since", text)
    if not _OLDEST <= moment <= datetime.now(UTC):
        raise BadInput(f"--since {text}: give a time between {_OLDEST:%Y-%m-%d} and now.")
    return moment


def days_from(first: str | None, last: str | None) -> tuple[date, date]:
    """The values of --from and --to; today in Korea for a missing one. Raises BadInput."""
    from schemas.article import SEOUL

    today = datetime.now(SEOUL).date()
    begin, end = (day_from(text) if text else today for text in (first, last))
    if not _OLDEST.date() <= begin <= end <= today:
        raise BadInput(f"--from {begin} --to {end}: give days between {_OLDEST:%Y-%m-%d} and today, the earlier first.")
    return begin, end


def day_from(text: str) -> date:
    """A day as people write it. Raises BadInput."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is not a day: write 2025-12-01.") from error


def text_of(file: Path) -> str:
    """A file as text; `-` is standard input. Raises BadInput."""
    try:
        return bytes_of(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8 (byte {error.start}): save it as UTF-8.") from error


def bytes_of(file: Path) -> bytes:
    """A file's bytes; `-` is standard input. Raises BadInput, also for more than LARGEST bytes."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error
    if len(data) > LARGEST:
        raise BadInput(f"{file} is larger than {LARGEST:,} bytes: no page, query or list of addresses is.")
    return data


def article_id(text: str) -> str:
    """The id of an article, given by its id or its address. Raises AddressError for any other address."""
    from flows.naver.urls import article_key

    return article_key(text).id if "/" in text else text.strip()
