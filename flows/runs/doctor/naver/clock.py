"""This machine's clock, held against that of Naver's servers and against the last run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from flows.runs.doctor.archive import ago
from flows.runs.doctor.check import Check, error, ok, warning
from schemas.article import SEOUL

_SKEW, _WRONG = timedelta(minutes=2), timedelta(hours=1)
_SET_IT = "set the clock (NTP): times decide what is read, and how far a source counts as read"


def newest_date(headers: Iterable[str | None]) -> datetime | None:
    """The newest of these `Date` headers (an answer from a cache has an old one); None if none can be read."""
    return max((date for header in headers if (date := _date(header)) is not None), default=None)


def _date(header: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def clock_check(now: datetime, servers: datetime | None, last_run: datetime | None) -> Check:
    """Whether the clock agrees. `servers`: the time of Naver's servers; `last_run`: when it ended."""
    if last_run is not None and last_run > now + _SKEW:
        return error("clock", f"the last run ended {ago(last_run - now)} in the future", _SET_IT)
    found = f"{now.astimezone(SEOUL):%Y-%m-%d %H:%M} in Korea"
    if servers is None:
        return ok("clock", f"{found}; no server's clock was seen")
    skew = abs(now - servers)
    if skew <= _SKEW:
        return ok("clock", f"{found}, as on Naver's servers")
    found = f"{found}: {ago(skew)} {'ahead of' if now > servers else 'behind'} Naver's servers"
    return error("clock", found, _SET_IT) if skew > _WRONG else warning("clock", found, _SET_IT)
