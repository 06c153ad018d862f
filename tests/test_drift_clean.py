"""Pages that nothing is wrong with ring nothing, however they come together."""

from __future__ import annotations

from itertools import count

import pytest
from drift_support import runs

from flows.drift import Watch
from schemas.traits import Baseline

FULL = 1_000
"""Runs of the full proof."""


def alarms_of(seed: int, pages: int, baseline: Baseline) -> tuple[list[str], Baseline, int]:
    """What rang in the runs of a corpus, one after the other, each learning from those before; and how many runs."""
    rang: list[str] = []
    number = 0
    for run in runs(seed, pages):
        number += 1
        watch = Watch(baseline)
        held = watch.look(run)
        rang += [*watch.alarms, *held.values()]
        baseline = watch.learned()
    return rang, baseline, number


def test_clean_runs_ring_nothing() -> None:
    _, baseline, _ = alarms_of(1, 1_300, Baseline())
    rang, _, number = alarms_of(2, 2_000, baseline)
    assert rang == []
    assert number > 40


@pytest.mark.slow
def test_a_thousand_clean_runs_ring_nothing() -> None:
    baseline, done = Baseline(), 0
    for seed in count(101):
        rang, baseline, number = alarms_of(seed, 4_000, baseline)
        assert rang == []
        done += number
        if done >= FULL:
            return
