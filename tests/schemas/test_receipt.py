"""The names of runs."""

from __future__ import annotations

from datetime import timedelta

from schemas.receipt import run_id_at
from tests.support.values import NOW


def test_runs_of_one_second_have_different_names() -> None:
    """Two runs that began in the same second once had the same name, and the second could not create its capture."""
    assert len({run_id_at(NOW) for _ in range(500)}) == 500


def test_names_sort_by_time() -> None:
    names = [run_id_at(NOW + timedelta(seconds=number)) for number in range(5)]
    assert sorted(names) == names
