"""Windows: they overlap, look back far enough, and ignore a watermark in the future."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.sources.window import Window, next_window
from schemas.article import SEOUL
from schemas.topic import default_topic_path, load_topic
from tests.support.naver.sources import NOON, TODAY


class TestWindow:
    @given(hours=st.integers(0, 2000))
    def test_windows_overlap_by_the_lag(self, hours: int) -> None:
        topic = load_topic(default_topic_path())
        before = NOON - timedelta(hours=hours)
        asked = next_window(topic, before, NOON)
        assert asked.since == before - topic.limits.lag
        assert asked.days[0] == TODAY
        assert asked.days[-1] == asked.since.astimezone(SEOUL).date()
        assert len(asked.days) == len(set(asked.days))

    @pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=400)])
    def test_a_cursor_in_the_future_is_ignored(self, ahead: timedelta) -> None:
        topic = load_topic(default_topic_path())
        assert next_window(topic, NOON + ahead, NOON) == next_window(topic, None, NOON)

    def test_a_cursor_some_minutes_ahead_counts_as_now(self) -> None:
        topic = load_topic(default_topic_path())
        assert next_window(topic, NOON + timedelta(minutes=2), NOON) == next_window(topic, NOON, NOON)

    def test_a_source_never_read_is_read_as_far_back_as_the_topic_says(self) -> None:
        topic = load_topic(default_topic_path())
        assert next_window(topic, None, NOON).since == NOON - topic.limits.lookback

    @given(read_hours_ago=st.integers(0, 400))
    def test_the_days_of_a_window_and_before_it_are_a_week_at_least_without_a_gap(self, read_hours_ago: int) -> None:
        before = NOON - timedelta(hours=read_hours_ago)
        asked = Window(before, NOON, read_before=before)
        days = asked.days + asked.days_before
        assert days == [TODAY - timedelta(days=n) for n in range(len(days))]
        assert len(days) == max(8, len(asked.days))
        assert Window(before, NOON).days_before == []

    @given(read_hours_ago=st.integers(0, 100), day_ago=st.integers(0, 4))
    def test_a_day_is_read_in_full_exactly_until_it_was_read_after_its_end(
        self, read_hours_ago: int, day_ago: int
    ) -> None:
        before, day = NOON - timedelta(hours=read_hours_ago), TODAY - timedelta(days=day_ago)
        asked = Window(NOON - timedelta(days=9), NOON, read_before=before)
        ended = datetime.combine(day + timedelta(days=1), datetime.min.time(), SEOUL)
        assert asked.read_in_full(day) == (day < TODAY and before < ended)
