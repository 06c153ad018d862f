"""Values as they are written for people."""

from __future__ import annotations

import pytest

from flows.reports.text import duration


@pytest.mark.parametrize(
    ("minutes", "said", "in_korean"),
    [
        (0, "0 minutes", "0분"),
        (1, "1 minute", "1분"),
        (119, "119 minutes", "119분"),
        (120, "2 h", "2시간"),
        (318, "5 h 18 min", "5시간 18분"),
        (1_500, "25 h", "25시간"),
        (2_879, "47 h 59 min", "47시간 59분"),
        (2_880, "2 days", "2일"),
        (2_000_000, "1,389 days", "1,389일"),
    ],
)
def test_a_time_between_two_articles(minutes: int, said: str, in_korean: str) -> None:
    assert (duration(minutes), duration(minutes, korean=True)) == (said, in_korean)
