"""Which table gets which chart."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from flows.serving.content.charts import Chart
from flows.serving.content.table_chart import Bars, table_chart
from schemas.article import SEOUL

DAYS = (date(2026, 1, 1), date(2026, 1, 3))


def test_numbers_by_day_and_word_are_stacked() -> None:
    rows = [(DAYS[1], "가온", 3, 60.0), (DAYS[0], "나래", 2, 40.0)]
    drawn = table_chart(["day", "team", "articles", "of_all"], rows)
    assert isinstance(drawn, Chart)
    assert [bar.says for bar in drawn.bars] == ["2026-01-01 나래 2", "2026-01-03 가온 3"]
    shares = table_chart(["day", "team", "articles", "percent"], rows)
    assert isinstance(shares, Chart)
    assert [bar.says for bar in shares.bars] == ["2026-01-01 나래 40.0%", "2026-01-03 가온 60.0%"]


def test_shares_that_were_rounded_up_fill_the_scale() -> None:
    rows = [(day, team, percent) for day in DAYS for team, percent in (("가온", 33.4), ("나래", 33.4), ("다솜", 33.3))]
    drawn = table_chart(["day", "team", "percent"], rows)
    assert isinstance(drawn, Chart)
    assert [text for _, text in drawn.lines] == ["0", "50", "100"]


def test_times_are_korean_days() -> None:
    times = [datetime(2026, 1, 1, 1, tzinfo=SEOUL), datetime(2026, 1, 2, 1, tzinfo=SEOUL)]
    drawn = table_chart(["at", "runs"], [(time, 1) for time in times])
    assert isinstance(drawn, Chart)
    assert [bar.says for bar in drawn.bars] == ["2026-01-01  1", "2026-01-02  1"]


def test_numbers_by_words_are_bars() -> None:
    rows = [("가온", "노을", Decimal("2.50")), ("가온", "Gaon", None), ("나래", "x" * 50, 0)]
    drawn = table_chart(["team", "model", "percent"], rows)
    assert isinstance(drawn, Bars)
    assert drawn.column == "percent"
    assert [(row["name"], row["articles"]) for row in drawn.rows] == [
        ("가온 · 노을", 2.5),
        (f"나래 · {'x' * 35}…", 0),
    ]


def test_other_tables_have_none() -> None:
    assert table_chart(["n"], []) is None
    assert table_chart(["name", "n"], [("가온", 1)]) is None
    assert table_chart(["at", "title"], [(DAYS[0], "가"), (DAYS[1], "나")]) is None
    assert table_chart(["n", "m"], [(1, 2), (3, 4)]) is None
    assert table_chart(["name", "is"], [("가온", True), ("나래", False)]) is None
