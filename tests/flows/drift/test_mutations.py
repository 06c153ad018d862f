"""Every way in which a page can be parsed wrongly is detected, and wrong articles are not stored."""

from __future__ import annotations

from itertools import islice

import pytest

from flows.drift.alarm import DriftAlarm
from flows.naver.articles.layouts import read_article
from flows.replica.corpus.articles import Layout
from tests.programs.drift_proof import BLIND, MOST, chosen, harmful, struck, trial
from tests.support.drift import LOOKS, learned, samples
from tests.support.naver.mutations.mutations import mutations

EVERY_NTH = 16
"""Of the mutations of each look, one in so many is tried; `tests.programs.drift_proof mutations` tries them all."""


def test_there_are_enough_and_their_names_are_unique() -> None:
    names = [one.name for one in mutations()]
    assert len(names) >= 200
    assert len(set(names)) == len(names)


def test_a_mutation_is_the_same_for_all_pages_and_can_be_seeded() -> None:
    seeded = [next(one for one in mutations(seed) if one.name == "renamed dic_area") for seed in range(5)]
    page = samples(Layout.Y2024, 12, 500)[0].content
    assert seeded[0].of(page, "nnews") == seeded[0].of(page, "nnews")
    assert len({one.of(page, "nnews") for one in seeded}) > 1


def test_some_of_all_mutations_are_noticed_and_let_no_wrong_record_pass() -> None:
    tried = harmful(chosen(EVERY_NTH))
    assert len(tried) >= 50
    assert {name for name, one in tried.items() if not one.detected} <= BLIND
    assert {name for name, one in tried.items() if one.passed} <= BLIND


@pytest.mark.parametrize(
    ("look", "name"),
    [
        (Layout.Y2026_02, "removed byline and reporter"),
        (Layout.Y2026_02, "renamed media_end_head_top_logo_img"),
        (Layout.Y2024, "removed title's id"),
        (Layout.Y2022, "body: article and div swapped"),
    ],
)
def test_the_changes_that_the_site_has_really_seen(look: Layout, name: str) -> None:
    mutation = next(one for one in mutations() if one.name == name)
    result = trial(mutation, look)
    assert result.pages == MOST
    assert result.passed == 0
    assert not result.harmful or result.detected


def test_pages_without_the_mutation_pass() -> None:
    mutation = next(one for one in mutations() if one.name == "body: promotion behind")
    clean, mutated = samples(Layout.Y2026_10, 12, 500)[:15], list(islice(struck(mutation, Layout.Y2026_10), 20))[15:]
    watch = DriftAlarm(learned(Layout.Y2026_10))
    batch = [(one.id, one.traits) for one in clean]
    batch += [(name, read_article(content, url)[1]) for name, url, content, _ in mutated]
    assert set(watch.check(batch)) == {name for name, *_ in mutated}


def test_a_change_that_comes_in_runs_of_one_page_is_noticed_too() -> None:
    mutation = next(one for one in mutations() if one.name == "body: promotion behind")
    baseline, alarms = learned(Layout.Y2026_10), []
    for name, url, content, _ in islice(struck(mutation, Layout.Y2026_10), MOST):
        watch = DriftAlarm(baseline)
        watch.check([(name, read_article(content, url)[1])])
        baseline = watch.learned()
        alarms += watch.alarms
    assert alarms


def test_an_article_of_every_look_has_traits_of_its_own_layout() -> None:
    layouts = {look: samples(look, 12, 500)[0].traits.layout for look in LOOKS}
    assert layouts[Layout.SPORTS] == "sports_json/2"
    assert {layouts[look] for look in LOOKS[:4]} == {"article_page/2"}
