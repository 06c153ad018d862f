"""Whole crawls without faults raise no alarm, in whatever order sources are read (more in programs/drift_proof.py)."""

from __future__ import annotations

from functools import partial

import pytest

from flows.drift.alarm import ENOUGH
from tests.support.histories import crawls
from tests.support.histories.crawls import Scenario, crawled


@pytest.mark.parametrize(
    ("scenario", "seed", "articles"),
    [
        # Layout of 2022: articles without a byline lack its element, and most of a section's may be such articles.
        (crawls.section_then_search, 1, 1_000),
        (crawls.sections_added, 1, 800),
        (crawls.search_then_section, 5, 600),
        (partial(crawls.every_hour, times=8), 5, 600),
        (crawls.older_days_behind_it, 3, 700),
        (crawls.refreshed, 4, 500),
        (crawls.press_by_press, 2, 350),
    ],
)
@pytest.mark.every(7)
def test_a_crawl_of_correct_pages_raises_no_alarm(scenario: Scenario, seed: int, articles: int) -> None:
    run = crawled(scenario, seed, articles)
    assert run.pages > ENOUGH
    assert run.alarms == []
