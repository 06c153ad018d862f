"""Pages without faults raise no alarm, in any combination."""

from __future__ import annotations

import pytest

from flows.drift.alarm import DriftAlarm
from schemas.traits import Baseline
from tests.programs.drift_proof import alarms_of
from tests.support.drift import runs


def test_clean_runs_raise_no_alarm() -> None:
    _, baseline, _ = alarms_of(1, 1_300, Baseline())
    rang, _, number = alarms_of(2, 2_000, baseline)
    assert rang == []
    assert number > 40


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.every(2)
def test_other_topics_raise_no_alarm(first: bool) -> None:
    """A search source names articles on the topic, a list names everything: one after the other."""
    baseline = Baseline()
    for on_topic in (first, not first):
        for run in runs(7, 3_000, on_topic=on_topic):
            watch = DriftAlarm(baseline)
            assert (watch.check(run), watch.alarms) == ({}, [])
            baseline = watch.learned()
