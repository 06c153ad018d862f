"""The drift alarm on made-up traits: its alarms, the pages that it quarantines, and its baseline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.drift.alarm import ENOUGH, STEADY_READINGS, DriftAlarm
from flows.drift.chance import chance, odds_ratio
from flows.drift.memory import LAYOUT_PAGES, PRESS_PAGES, READINGS, RECENT, learn, marks_of
from schemas.traits import Baseline, LayoutMemory, Traits

LAYOUT = "page/1"
CROSS_CHECK = "og:title is the title"
USUAL = ("title", "body", "byline", CROSS_CHECK, "body: <em.img_desc>")


def page(number: int, *, press: str | None = None, without: str = "", plus: str = "", body: int = 700) -> Traits:
    marks = frozenset({*USUAL, plus} - {without, ""})
    return Traits(LAYOUT, press or f"{number % 20:03}", marks, (("body", body),), (number,))


def pages(numbers: Iterable[int], **given: str | int) -> list[tuple[str, Traits]]:
    return [(f"id{number}", page(number, **given)) for number in numbers]  # type: ignore[arg-type]


def known(count: int = 700) -> Baseline:
    watch = DriftAlarm(Baseline())
    watch.check(pages(range(count)))
    return watch.learned()


def test_unchanged_pages_pass_and_extend_the_baseline() -> None:
    watch = DriftAlarm(known())
    assert watch.check(pages(range(20))) == {}
    assert watch.alarms == []
    assert watch.learned().layouts[LAYOUT].counts.pages == known().layouts[LAYOUT].counts.pages + 20


@pytest.mark.parametrize("changed", [{"without": CROSS_CHECK}, {"plus": "body: <div.promotion>"}])
def test_three_pages_of_several_press_offices_are_enough(changed: dict[str, str]) -> None:
    watch = DriftAlarm(known())
    quarantined = watch.check(pages(range(3), **changed))
    assert set(quarantined) == {"id0", "id1", "id2"}
    assert len(watch.alarms) == 1


def test_two_odd_pages_raise_no_alarm_and_the_third_does_even_in_separate_runs() -> None:
    baseline = known()
    for number in range(2):
        watch = DriftAlarm(baseline)
        assert watch.check(pages([number], without=CROSS_CHECK)) == {}
        baseline = watch.learned()
    alarms = []
    for number in range(2, 8):
        watch = DriftAlarm(baseline)
        watch.check(pages([number], without=CROSS_CHECK))
        baseline = watch.learned()
        alarms += watch.alarms
    assert alarms


def test_the_alarm_names_layout_mark_number_of_pages_and_remedy() -> None:
    watch = DriftAlarm(known())
    watch.check(pages(range(10), without=CROSS_CHECK))
    (alarm,) = watch.alarms
    assert alarm.startswith("page/1: ")
    assert "“og:title is the title” is missing on 10 of 10 pages of 10 press offices (usual: 0 %)" in alarm
    assert "reparse --quarantined" in alarm
    assert "--accept" in alarm


def test_each_alarm_is_raised_once_and_later_pages_with_the_drift_are_quarantined() -> None:
    watch = DriftAlarm(known())
    watch.check(pages(range(10), without=CROSS_CHECK))
    later = watch.check([*pages(range(10, 12), without=CROSS_CHECK), *pages(range(12, 20))])
    assert set(later) == {"id10", "id11"}
    assert "in this run" in later["id10"]
    assert len(watch.alarms) == 1


def test_few_drifted_pages_are_quarantined_alone_and_many_with_the_whole_batch() -> None:
    few, many = DriftAlarm(known()), DriftAlarm(known())
    clean = pages(range(100, 120))
    assert set(few.check([*clean, *pages(range(6), plus="odd")])) == {f"id{number}" for number in range(6)}
    assert len(many.check([*clean, *pages(range(16), plus="odd")])) == 36


def test_a_share_that_shifts_quarantines_the_whole_batch() -> None:
    watch = DriftAlarm(Baseline())
    watch.check([*pages(range(500)), *pages(range(500, 700), without=CROSS_CHECK)])
    mixed = DriftAlarm(watch.learned())
    batch = [*pages(range(40), without=CROSS_CHECK), *pages(range(40, 42))]
    assert set(mixed.check(batch)) == {name for name, _ in batch}
    assert f"“{CROSS_CHECK}” is missing on 40 of 42" in mixed.alarms[0]


def test_one_press_office_raises_an_alarm_for_itself_and_not_for_the_layout() -> None:
    assert DriftAlarm(known(1_100)).check(pages(range(12), press="999", without=CROSS_CHECK)) == {}
    watch = DriftAlarm(known(1_100))
    quarantined = watch.check(pages(range(100, 112), press="007", without=CROSS_CHECK))
    assert len(quarantined) == 12
    assert watch.alarms[0].startswith("page/1, press 007: ")


def test_a_press_office_may_begin_to_print_subtitles_but_not_to_lose_text() -> None:
    watch = DriftAlarm(known(1_100))
    assert watch.check(pages(range(100, 120), press="007", plus="subtitle")) == {}
    assert len(watch.check(pages(range(100, 120), press="007", plus="body: <div.promotion>"))) == 20


def test_press_offices_are_not_named_where_the_whole_layout_changed() -> None:
    watch = DriftAlarm(known(1_400))
    for start in (0, 240):
        assert len(watch.check(pages(range(start, start + 240), without=CROSS_CHECK))) == 240
    assert len(watch.alarms) == 1


def test_layouts_with_few_known_pages_raise_no_alarm() -> None:
    watch = DriftAlarm(known(ENOUGH + RECENT - 1))
    assert watch.check(pages(range(20), without=CROSS_CHECK)) == {}
    other = [(name, replace(traits, layout="page/2")) for name, traits in pages(range(20), without=CROSS_CHECK)]
    assert DriftAlarm(known()).check(other) == {}


@pytest.mark.parametrize("mark", ["line: ◇ 함께 배포한 자료", "body: <table.timetable>"])
def test_copies_of_one_text_are_no_drift(mark: str) -> None:
    copies = [(name, replace(traits, sketch=(7, 9))) for name, traits in pages(range(20), plus=mark)]
    assert DriftAlarm(known()).check(copies) == {}
    assert len(DriftAlarm(known()).check(pages(range(20), plus=mark))) == 20


def test_quarantined_pages_do_not_enter_the_baseline() -> None:
    watch = DriftAlarm(known())
    watch.check(pages(range(20), plus="odd"))
    memory = watch.learned().layouts[LAYOUT]
    assert memory == known().layouts[LAYOUT]


def test_accept_quarantines_nothing_and_starts_a_new_baseline() -> None:
    watch = DriftAlarm(known(), accept=True)
    assert watch.check(pages(range(300), plus="odd", without=CROSS_CHECK)) == {}
    assert watch.alarms == []
    baseline = watch.learned()
    assert CROSS_CHECK not in baseline.layouts[LAYOUT].counts.marks
    assert len(DriftAlarm(baseline).check(pages(range(10)))) == 10


def test_accept_leaves_other_layouts_alone() -> None:
    watch = DriftAlarm(known(), accept=True)
    watch.check([("x", replace(page(1), layout="page/2"))])
    assert watch.learned().layouts[LAYOUT] == known().layouts[LAYOUT]


def test_if_most_pages_cannot_be_parsed_the_others_are_quarantined() -> None:
    watch = DriftAlarm(known())
    assert watch.check(pages(range(3)), unread=2) == {}
    assert len(watch.check(pages(range(3)), unread=17)) == 3
    assert "17 of 20" in watch.check(pages(range(3)), unread=17)["id0"]


# --- what the articles are like -----------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [{"without": "byline"}, {"plus": "line: 로그인 후"}, {"body": 40}])
def test_a_property_of_articles_raises_an_alarm_on_nearly_all_of_many_pages(changed: dict[str, str | int]) -> None:
    assert DriftAlarm(known()).check(pages(range(14), **changed)) == {}
    assert DriftAlarm(known()).check([*pages(range(12), **changed), *pages(range(20, 36))]) == {}
    watch = DriftAlarm(known())
    assert len(watch.check(pages(range(17), **changed))) == 17
    assert len(watch.alarms) == 1


@pytest.mark.parametrize(("mark", "alarm", "pass_by"), [("body: <div.promotion>", 14, 12), ("title twice", 8, 6)])
def test_an_unknown_mark_raises_an_alarm_on_some_of_the_pages(mark: str, alarm: int, pass_by: int) -> None:
    """Elements on two in five of 32 pages, doubts on one in five, evenly spread."""

    def some(count: int) -> list[tuple[str, Traits]]:
        shown = {(at * 32 + 31) // count for at in range(count)}
        return [one for at in range(32) for one in pages([at], plus=mark if at in shown else "")]

    assert DriftAlarm(known()).check(some(pass_by)) == {}
    assert DriftAlarm(known()).check(some(alarm))


@pytest.mark.parametrize(
    "changed", [{"without": "body: <em.img_desc>"}, {"plus": "no part for a byline"}, {"plus": "published at midnight"}]
)
def test_a_property_of_articles_may_be_on_a_part_of_the_pages(changed: dict[str, str]) -> None:
    assert DriftAlarm(known()).check([*pages(range(12), **changed), *pages(range(20, 36))]) == {}


def of_section(name: str, numbers: Iterable[int], **given: str | int) -> list[tuple[str, Traits]]:
    return [
        (identity, replace(traits, marks=traits.marks | {f"section {name}"}))
        for identity, traits in pages(numbers, **given)
    ]


def test_a_new_section_may_have_other_kinds_of_articles() -> None:
    watch = DriftAlarm(Baseline())
    watch.check(of_section("IT", range(700)))
    opinion = of_section("오피니언", range(30), without="byline", body=40)
    assert DriftAlarm(watch.learned()).check(opinion) == {}
    assert len(DriftAlarm(watch.learned()).check(of_section("IT", range(30), without="byline"))) == 30
    assert DriftAlarm(watch.learned()).check(of_section("오피니언", range(30), without=CROSS_CHECK))


def test_a_known_section_may_come_alone_but_not_changed() -> None:
    watch = DriftAlarm(Baseline())
    for start in range(0, 1_000, 20):
        watch.check(of_section("IT", range(start, start + 18)))
        watch.check(of_section("오피니언", range(start + 18, start + 20), without="byline"))
    assert DriftAlarm(watch.learned()).check(of_section("오피니언", range(30), without="byline")) == {}
    assert len(DriftAlarm(watch.learned()).check(of_section("오피니언", range(30), without="byline", body=40))) == 30


def test_unknown_press_offices_may_have_other_kinds_of_articles() -> None:
    new = [
        (f"x{at}", page(at, press=f"9{at % 5:02}", without="byline", plus="title without Hangul")) for at in range(30)
    ]
    assert DriftAlarm(known()).check(new) == {}
    contradicted = [(name, replace(traits, marks=traits.marks - {CROSS_CHECK})) for name, traits in new]
    assert len(DriftAlarm(known()).check(contradicted)) == 30


def test_a_press_office_may_begin_to_use_elements_that_others_use() -> None:
    watch = DriftAlarm(Baseline())
    for start in range(0, 1_400, 20):
        watch.check([*pages(range(start, start + 19)), *pages([start + 19], plus="body: <table>")])
    assert DriftAlarm(watch.learned()).check(pages(range(30), press="007", plus="body: <table>")) == {}
    assert DriftAlarm(watch.learned()).check(pages(range(30), press="007", plus="body: <object>"))


# --- sources -------------------------------------------------------------------------------------------------------


def readings(*items: int) -> DriftAlarm:
    watch = DriftAlarm(Baseline())
    for count in items:
        assert watch.source("search_api:독자 모델", count) is None
    return watch


def test_a_silent_source_raises_one_alarm_and_does_not_enter_the_baseline() -> None:
    watch = DriftAlarm(readings(*[5] * 30).learned())
    alarm = watch.source("search_api:독자 모델", 0)
    assert alarm is not None
    assert "search_api:독자 모델 returned no items" in alarm
    assert watch.source("search_api:독자 모델", 0) == alarm
    assert watch.alarms == [alarm]
    assert watch.learned().sources["search_api:독자 모델"] == (5,) * READINGS


@pytest.mark.parametrize("items", [[5] * (STEADY_READINGS - 1), [5] * 19 + [2], [0] * 30])
def test_a_source_that_is_new_or_often_names_little_may_be_silent(items: list[int]) -> None:
    watch = DriftAlarm(readings(*items).learned())
    assert watch.source("search_api:독자 모델", 0) is None
    assert watch.learned().sources["search_api:독자 모델"][-1] == 0


def test_a_long_silence_is_accepted_and_enters_the_baseline() -> None:
    watch = DriftAlarm(readings(*[5] * 30).learned())
    assert watch.source("search_api:독자 모델", 0, believed=True) is None
    assert watch.alarms == []
    assert watch.learned().sources["search_api:독자 모델"][-1] == 0
    assert watch.source("search_api:독자 모델", 0) is None


def test_readings_within_a_run_count() -> None:
    watch = readings(*[4] * STEADY_READINGS)
    assert watch.source("search_api:독자 모델", 0) is not None


def test_accept_applies_to_a_silent_source() -> None:
    watch = DriftAlarm(readings(*[5] * 30).learned(), accept=True)
    assert watch.source("search_api:독자 모델", 0) is None
    assert watch.learned().sources["search_api:독자 모델"] == (0,)


# --- memory --------------------------------------------------------------------------------------------------------


def test_old_pages_lose_weight() -> None:
    memory = learn(LayoutMemory(), [page(number, press="001", plus="old") for number in range(LAYOUT_PAGES + RECENT)])
    assert memory.counts.pages == LAYOUT_PAGES
    assert memory.presses["001"].pages == PRESS_PAGES
    for start in range(0, 3 * LAYOUT_PAGES, 50):
        memory = learn(memory, [page(start + number, press="001", plus="new") for number in range(50)])
    assert memory.counts.pages == LAYOUT_PAGES
    assert memory.counts.marks["new"] > 0.9 * LAYOUT_PAGES
    assert memory.counts.marks["old"] < 0.1 * LAYOUT_PAGES
    assert len(memory.recent) == RECENT


def test_an_unusual_press_or_mark_cannot_fill_the_memory() -> None:
    many = [page(number, press=f"{number % 1_000:03}", plus=f"mark {number}") for number in range(3_000)]
    memory = learn(LayoutMemory(), many)
    assert len(memory.presses) <= 100
    assert len(memory.counts.marks) <= 400


def test_echoes_of_a_single_page_are_not_kept() -> None:
    seen = [page(number, plus=f"line: 문장 {number}") for number in range(100)]
    seen += [page(number, plus="line: (끝)") for number in range(100, 200)]
    kept = learn(LayoutMemory(), seen).counts.marks
    assert [mark for mark in kept if mark.startswith("line: ")] == ["line: (끝)"]


@given(st.integers(0, 20_000))
def test_a_longer_text_has_all_the_marks_of_a_shorter_one(size: int) -> None:
    shorter, longer = (marks_of(page(1, body=length)) for length in (size, size + 500))
    assert shorter <= longer


# --- chance --------------------------------------------------------------------------------------------------------


def exact(count: int, of: int, usual: int, total: int) -> Fraction:
    """The same tail by fractions: a draw of `of` after `usual` of `total`, with half a page of doubt on either side."""
    half = Fraction(1, 2)

    def rising(start: Fraction, steps: int) -> Fraction:
        product = Fraction(1)
        for step in range(steps):
            product *= start + step
        return product

    a, b = usual + half, total - usual + half
    terms = (comb(of, k) * rising(a, k) * rising(b, of - k) for k in range(count, of + 1))
    return sum(terms, Fraction(0)) / rising(a + b, of)


@given(st.integers(1, 40), st.integers(1, 300), st.data())
def test_chance_is_the_tail_of_the_beta_binomial(of: int, total: int, data: st.DataObject) -> None:
    count, usual = data.draw(st.integers(0, of)), data.draw(st.integers(0, total))
    assert chance(count, of, usual=usual, pages=total) == pytest.approx(float(exact(count, of, usual, total)), rel=1e-6)


@given(st.integers(1, 60), st.integers(0, 1_000))
def test_the_more_of_it_the_less_likely(of: int, usual: int) -> None:
    tails = [chance(count, of, usual=usual, pages=1_000) for count in range(of + 1)]
    assert tails[0] == pytest.approx(1.0)
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(tails))


def test_odds() -> None:
    assert odds_ratio(10, 20, usual=500, pages=1_000) == pytest.approx(1.0)
    assert odds_ratio(20, 20, usual=0, pages=1_000) > 10_000
    assert odds_ratio(0, 20, usual=500, pages=1_000) < 0.1
