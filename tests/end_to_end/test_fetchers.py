"""Fetchers and the archive that takes in from them, killed at any step (`make torture` does three hundred)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.programs import fetchers


@pytest.mark.slow
@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.long)])
def test_killed_fetchers_and_a_killed_archive_end_as_one_crawl(tmp_path: Path, kills: int) -> None:
    for number, at in enumerate(range(0, kills, 15)):
        with fetchers.place(tmp_path / str(number), articles=45) as (where, naver):
            fetchers.survive(where, naver, min(15, kills - at), random.Random(20261130 + number))


def test_the_comparison_notices_what_is_lost(tmp_path: Path) -> None:
    """An archive that lacks a page of its fetchers must not pass."""
    with fetchers.place(tmp_path, articles=9) as (where, naver):
        some = fetchers.Place(where.work, where.naver, {name: urls[1:] for name, urls in where.addresses.items()})
        died = fetchers.survive(some, naver, 0, random.Random(1))
        with pytest.raises(AssertionError):
            fetchers.check(where, naver, died)
