"""The clock, held against Naver's servers and the last run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.runs.doctor.check import Level
from flows.runs.doctor.naver.clock import clock_check, newest_date

NOW = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("skew", "level", "said"),
    [
        (MINUTE, Level.OK, "as on Naver's servers"),
        (-MINUTE, Level.OK, "as on Naver's servers"),
        (5 * MINUTE, Level.WARNING, "5 min behind Naver's"),
        (-5 * MINUTE, Level.WARNING, "5 min ahead of Naver's"),
        (9 * HOUR, Level.ERROR, "9 h behind Naver's"),
        (-72 * HOUR, Level.ERROR, "3 days ahead of Naver's"),
    ],
)
def test_against_naver(skew: timedelta, level: Level, said: str) -> None:
    check = clock_check(NOW, NOW + skew, NOW - HOUR)
    assert check.level is level
    assert "2026-12-01 12:00 in Korea" in check.found
    assert said in check.found


def test_a_last_run_in_the_future_is_an_error_whatever_a_server_says() -> None:
    check = clock_check(NOW, NOW, NOW + 3 * HOUR)
    assert (check.level, check.found) == (Level.ERROR, "the last run ended 3 h in the future")
    assert "NTP" in check.todo


def test_a_run_that_ends_this_moment_is_not_in_the_future() -> None:
    assert clock_check(NOW, NOW, NOW + MINUTE).level is Level.OK


def test_without_a_server_nothing_is_claimed() -> None:
    check = clock_check(NOW, None, None)
    assert check.level is Level.OK
    assert "no server's clock was seen" in check.found


def test_of_the_dates_of_servers_the_newest_counts() -> None:
    cached, fresh = "Tue, 01 Dec 2026 01:00:00 GMT", "Tue, 01 Dec 2026 03:00:00 GMT"
    assert newest_date([None, cached, "yesterday", "", fresh, "Tue, 01 Dec 2026 02:00:00 -0000"]) == NOW
    assert newest_date([None, "99999999999"]) is None
