"""The names of runs."""

from __future__ import annotations

from datetime import timedelta

from schemas.receipt import run_id_at
from tests.support.values import NOW


def test_runs_of_one_second_have_names_of_their_own() -> None:
    """Two that began in the same second once shared a name, and the second could not make its capture."""
    assert len({run_id_at(NOW) for _ in range(500)}) == 500


def test_names_sort_by_time() -> None:
    names = [run_id_at(NOW + timedelta(seconds=number)) for number in range(5)]
    assert sorted(names) == names
