"""The example queries, each asked of a small archive whose answers are known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.errors import BadInput
from storage.reading.examples import example, examples, names
from storage.reading.reader import open_snapshot, run_query
from tests.support.command import seogo
from tests.support.histories.analyst import MADE, december, january, make
from tests.support.values import key

FIRST, SECOND, SIXTH, SEVENTH = (key(number).id for number in (1, 2, 6, 7))
DAYS = [MADE.replace(day=MADE.day + later) for later in range(5)]

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "articles-per-day-and-team": [
        {"day": date(2026, 1, 5), "team": "나래", "articles": 1, "publications": 1},
        {"day": date(2025, 12, 30), "team": "가온", "articles": 1, "publications": 2},
        {"day": date(2025, 12, 30), "team": "나래", "articles": 1, "publications": 2},
        {"day": date(2025, 12, 29), "team": "가온", "articles": 1, "publications": 3},
    ],
    "share-of-voice": [
        {"week": date(2026, 1, 5), "team": "나래", "articles": 1, "percent": 100.0},
        {"week": date(2025, 12, 29), "team": "가온", "articles": 2, "percent": 66.7},
        {"week": date(2025, 12, 29), "team": "나래", "articles": 1, "percent": 33.3},
    ],
    "share-of-voice-by-month": [
        {"team": "가온", "2025-12": 66.7, "2026-01": None},
        {"team": "나래", "2025-12": 33.3, "2026-01": 100.0},
    ],
    "first-publishers": [
        {"text_id": SECOND, "first_publisher": "다온일보", "first_at": december(30, 11), "copies": 1, "hours": 0.3},
        {"text_id": FIRST, "first_publisher": "다온일보", "first_at": december(29, 9, 30), "copies": 2, "hours": 2.5},
    ],
    "most-copied": [
        {"id": FIRST, "publisher": "가온신문", "copies": 2, "publishers": 2},
        {"id": SECOND, "publisher": "다온일보", "copies": 1, "publishers": 1},
    ],
    "edited-headlines": [
        {"id": SIXTH, "before": "나래 모델, 세계 1위", "after": "나래 모델, 세계 2위", "seen_at": DAYS[1]},
    ],
    "publisher-delays": [
        {"publisher": "다온일보", "shared_texts": 2, "first": 2, "median_minutes_after": None},
        {"publisher": "가온신문", "first": 0, "median_minutes_after": 25.0, "longest_minutes_after": 30.0},
        {"publisher": "라온방송", "shared_texts": 1, "first": 0, "median_minutes_after": 150.0},
    ],
    "correction-notices": [{"id": SIXTH, "revision": 3, "seen_at": DAYS[3], "publisher": "라온방송"}],
    "deleted-articles": [{"id": SEVENTH, "gone_at": DAYS[1], "file": f"articles/2026/01/05/{SEVENTH}.md"}],
    "coverage-gaps": [
        {"source": "press_list:001", "since": december(28, 0), "hours": 6.0, "reason": "1,000 results shown"},
    ],
    "newest-articles": [
        {"published_at": january(5, 9), "publisher": "라온방송", "teams": ["나래"]},
        {"published_at": january(5, 8), "title": "지워진 글"},
        {"published_at": december(30, 11), "teams": ["가온", "나래"]},
        {"published_at": december(29, 10), "publisher": "가온신문"},
    ],
    "run-outcomes": [
        *({"started_at": DAYS[4 - n], "finds": 1, "new": 0, "edited": n != 2} for n in (0, 1)),
        {"started_at": DAYS[2], "finds": 1, "edited": 0, "gone": 1},
        {"started_at": DAYS[1], "finds": 2, "edited": 1, "gone": 1},
        {"started_at": DAYS[0], "seconds": 90.0, "finds": 9, "new": 4, "duplicate": 3, "failed": 1},
    ],
    "publishers-by-team": [
        {"team": "가온", "publisher": "가온신문", "articles": 1},
        {"team": "가온", "publisher": "다온일보", "articles": 1},
        {"team": "나래", "publisher": "다온일보", "articles": 1},
        {"team": "나래", "publisher": "라온방송", "articles": 1, "newest": january(5, 9)},
    ],
    "models-by-team": [
        {"team": "가온", "model": "노을", "articles": 2, "first_named": december(29, 10), "percent": 100.0},
        {"team": "가온", "model": "Gaon", "articles": 1, "first_named": december(30, 11), "percent": 50.0},
    ],
    "teams-together": [{"team": "가온", "other_team": "나래", "articles": 1}],
    "source-yield": [
        {"source": "search_api:독자 모델", "articles_named_first": 4, "finds": 14, "duplicates": 3, "failed": 1},
        {"source": "press_list:001", "articles_named_first": 0, "finds": 0},
    ],
    "most-copied-stories": [],
    "first-with-stories": [],
    "originals-without-copies": [{"id": SIXTH}, {"id": SEVENTH}],
    "exclusive-stories": [
        {"publisher": "가온신문", "exclusive": 1, "articles": 2, "percent": 50.0},
        {"publisher": "라온방송", "exclusive": 1, "articles": 1, "percent": 100.0},
        {"publisher": "다온일보", "exclusive": 0, "articles": 1, "percent": 0.0},
    ],
    "waiting": [{"id": key(8).id, "state": "failed", "tries": 1}],
}
"""Of each row what is worth a word."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("examples") / "archive")


@pytest.fixture(scope="module")
def connection(archive: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_snapshot(archive) as opened:
        yield opened


@pytest.mark.parametrize("name", names())
def test_an_example_answers_what_it_says(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    columns, found = run_query(connection, example(name).sql)
    rows = [dict(zip(columns, row, strict=True)) for row in found]
    expected = ANSWERS[name]
    assert [{field: row[field] for field in want} for row, want in zip(rows, expected, strict=True)] == expected


@pytest.mark.parametrize("name", names())
def test_an_example_answers_of_an_archive_that_holds_nothing_yet(empty: Path, name: str) -> None:
    with open_snapshot(empty) as connection:
        assert list(run_query(connection, example(name).sql)[1]) == []


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from storage.archive import open_archive

    root = tmp_path_factory.mktemp("nothing") / "archive"
    with open_archive(root):
        pass
    return root


def test_every_example_says_what_it_answers() -> None:
    for one in examples():
        assert one.sql.startswith(f"-- {one.answers}\n")
        assert one.answers.endswith(".")
        assert 20 < len(one.answers) < 120
        assert one.sql.count(";") == 1, "one statement, that can be typed at the prompt"


def test_an_example_that_is_not_there() -> None:
    with pytest.raises(BadInput, match=r"Did you mean most-copied\?"):
        example("most_copied")
    with pytest.raises(BadInput, match="--examples"):
        example("../examples/most-copied")


def test_an_example_at_the_command_line(archive: Path) -> None:
    ran = seogo("sql", "--example", "teams-together", "--format", "json", "--archive", archive)
    assert ran.json == [{"team": "가온", "other_team": "나래", "articles": 1}]
    assert "no example 'nothing'" in seogo("sql", "--example", "nothing", "--archive", archive).complaint


def test_all_examples_are_named(tmp_path: Path) -> None:
    ran = seogo("sql", "--examples", "--format", "json", "--archive", tmp_path / "none")
    assert [row["example"] for row in ran.json] == names()
    assert "most-copied" in seogo("sql", "--examples").out
