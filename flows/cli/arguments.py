"""What a user gives, as values: topic, addresses, times, files. Raises BadInput, each message naming what was given."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import AddressError, BadInput

if TYPE_CHECKING:
    pass

_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Naver News began in this year."""

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest input that is read: a pipe or a device may never end."""


def addresses_from(urls: list[str], from_file: Path | None) -> tuple[str, ...]:
    """The addresses of both options, each that of an article. Raises BadInput, AddressError."""
    from flows.naver.urls import article_key

    for url in urls:
        article_key(url)
    named = _lines(from_file) if from_file else {}
    for number, url in named.items():
        try:
            article_key(url)
        except AddressError as error:
            raise BadInput(f"{from_file}:{number}: {error}") from error
    return (*urls, *named.values())


def _lines(file: Path) -> dict[int, str]:
    """The lines of a file by number. Blank lines and lines that begin with # are left out."""
    lines = {number: line.strip() for number, line in enumerate(text_of(file).splitlines(), start=1)}
    named = {number: line for number, line in lines.items() if line and not line.startswith("#")}
    if not named:
        raise BadInput(f"{file} holds no address: put one on each line.")
    return named


def time_from(text: str | None) -> datetime | None:
    """A day or time as people write it, in Korean time where it names no zone. Raises BadInput."""
    from schemas.article import SEOUL

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--since {text!r} is no time: write 2025-12-28 or 2025-12-28T09:30.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=SEOUL)
    if not _OLDEST <= moment <= datetime.now(SEOUL):
        raise BadInput(f"--since {text}: give a time between {_OLDEST:%Y-%m-%d} and now.")
    return moment


def days_from(first: str | None, last: str | None) -> tuple[date, date]:
    """The first and the last day of a range; the last one is today in Korea where none is named. Raises BadInput."""
    from schemas.article import SEOUL

    today = datetime.now(SEOUL).date()
    begin, end = (_day(text) if text else today for text in (first, last))
    if not _OLDEST.date() <= begin <= end <= today:
        raise BadInput(f"--from {begin} --to {end}: give days between {_OLDEST:%Y-%m-%d} and today, the earlier first.")
    return begin, end


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no day: write 2025-12-01.") from error


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
        raise BadInput(f"{file} is larger than {LARGEST:,} bytes, which no page, query or list of addresses is.")
    return data


def article_id(text: str) -> str:
    """The id that a person means by an id or an address. Raises AddressError for an address of something else."""
    from flows.naver.urls import article_key

    return article_key(text).id if "/" in text else text.strip()
