"""Words that rise, and the geometry of a chart."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flows.serving.content.charts import HEIGHT, WIDTH, stacked
from flows.serving.content.rising import rising, words_of

DAY = date(2026, 1, 1)
DAYS = [DAY + timedelta(days=n) for n in range((date(2026, 1, 28) - DAY).days + 1)]


def test_words_have_no_particles() -> None:
    assert words_of("업스테이지는 솔라를, A.X K1과 겨룬다…소버린에") == {
        "업스테이지",
        "솔라",
        "A.X",
        "K1과",
        "겨룬다",
        "소버린",
    }


def test_what_is_as_frequent_as_before_does_not_rise() -> None:
    before = [{"모델", "공개"}] * 40
    assert [rise.word for rise in rising([{"모델", "공개"}] * 10 + [{"모델", "실사"}] * 5, before)] == ["실사"]


def test_nothing_rises_without_a_past() -> None:
    assert rising([{"모델"}] * 9, []) == []


@given(st.dictionaries(st.tuples(st.dates(DAY, date(2026, 1, 28)), st.sampled_from("가나다")), st.integers(1, 10**6)))
def test_bars_stay_inside_and_are_as_tall_as_they_count(counts: dict[tuple[date, str], int]) -> None:
    drawn = stacked(DAYS, counts, {"가": 0, "나": 1, "다": 2})
    assert len(drawn.bars) == len(counts)
    for bar in drawn.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
    assert sum(int(total.replace(",", "")) for _, _, total in drawn.legend) == sum(counts.values())
    assert 2 <= len(drawn.lines) <= 6
