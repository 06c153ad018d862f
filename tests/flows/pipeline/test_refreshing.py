"""When an archived article is looked at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flows.pipeline.refreshing import STAGES, next_refresh

OUT = datetime(2025, 12, 30, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
moments = st.datetimes(datetime(2025, 12, 1), datetime(2026, 1, 31)).map(lambda t: t.replace(tzinfo=UTC))  # noqa: DTZ001


def looks(first: datetime, *, modified_at: datetime | None = None) -> list[timedelta]:
    """The ages at which an article is looked at, when each look comes just when it is due."""
    ages, checked = [], first
    while (due := next_refresh(checked, published_at=OUT, modified_at=modified_at)) is not None:
        ages.append(due - OUT)
        checked = due
        assert len(ages) < 20
    return ages


def test_an_hour_a_day_and_a_week_after_it_came_out() -> None:
    assert looks(OUT + timedelta(minutes=10)) == [HOUR, DAY, 7 * DAY]


def test_a_look_shortly_before_is_that_look() -> None:
    assert looks(OUT + timedelta(minutes=50)) == [DAY, 7 * DAY]
    assert looks(OUT + timedelta(minutes=40)) == [HOUR, DAY, 7 * DAY]


def test_a_modified_article_is_young_again() -> None:
    modified = OUT + 3 * DAY
    first = modified + timedelta(minutes=1)
    assert looks(first, modified_at=modified) == [3 * DAY + HOUR, 4 * DAY, 7 * DAY, 10 * DAY]


def test_looks_that_lie_close_together_are_one() -> None:
    modified = OUT + timedelta(hours=5)
    assert looks(modified + timedelta(minutes=1), modified_at=modified) == [6 * HOUR, DAY, 7 * DAY]


def test_an_old_article_is_left_alone() -> None:
    assert next_refresh(OUT + timedelta(days=400), published_at=OUT) is None
    assert next_refresh(OUT, published_at=None) is None


def test_a_date_of_the_future_is_no_date() -> None:
    assert next_refresh(OUT, published_at=OUT + DAY) is None


@given(moments, moments, st.none() | moments)
def test_every_look_is_later_than_the_last_and_within_a_week(
    checked: datetime, published: datetime, modified: datetime | None
) -> None:
    due = next_refresh(checked, published_at=published, modified_at=modified)
    if due is not None:
        assert due > checked
        assert any(due == origin + stage for origin in (published, modified) if origin for stage in STAGES)
