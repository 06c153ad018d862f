"""`seogo show --history`, `--diff` and `--as-of`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows.reports.history import read_history
from storage.reading.reader import HELD, SHOWN, open_snapshot, run_query
from tests.support.command import process, seogo
from tests.support.histories.analyst import EDITED, MADE
from tests.support.values import key

# -- history


def test_the_history_tells_of_texts_deletion_and_return(archive: Path) -> None:
    result = seogo("show", EDITED, "--history", "--json", "--archive", archive).json
    assert result["id"] == EDITED
    days = [(datetime.fromisoformat(step["at"]) - MADE).days for step in result["history"]]
    steps = [(step["kind"], step["revision"], step["changed"]) for step in result["history"]]
    assert list(zip(days, steps, strict=True)) == [
        (0, ("new", 1, [])),
        (1, ("edited", 2, ["title"])),
        (2, ("gone", None, [])),
        (3, ("restored", None, [])),
        (3, ("edited", 3, ["body", "time", "correction notice"])),
        (4, ("re-extracted", 4, ["byline"])),
    ]
    assert result["history"][0]["title"] == "나래 모델, 세계 1위"


def test_the_history_is_readable(archive: Path) -> None:
    lines = seogo("show", EDITED, "--history", "--archive", archive).out.splitlines()
    assert lines[0].strip() == "나래 모델, 세계 2위"
    (third,) = [line for line in lines if "correction notice" in line]
    assert third.split()[:4] == ["2026-01-09", "09:00:00", "3", "edited"]
    assert any("gone" in line for line in lines)
    assert lines[-1].endswith(f"seogo show {EDITED} --diff")


def test_one_revision_is_a_history_and_no_difference(archive: Path) -> None:
    one = key(1).id
    assert [s["kind"] for s in seogo("show", one, "--history", "--json", "--archive", archive).json["history"]] == [
        "new"
    ]
    ran = seogo("show", one, "--diff", "--archive", archive)
    assert (ran.code, "has only one revision" in ran.complaint) == (2, True)


# -- diff


def test_the_last_change_is_shown_by_default(archive: Path) -> None:
    result = seogo("show", EDITED, "--diff", "--json", "--archive", archive).json
    assert (result["from"], result["to"], list(result["fields"])) == (3, 4, ["byline"])
    assert [hunk["op"] for hunk in result["fields"]["byline"]] == ["delete", "insert"]


def test_any_two_revisions_are_compared(archive: Path) -> None:
    ran = process("show", EDITED, "--diff", "1..3", "--archive", archive)
    assert ran.err == ""
    assert "나래 모델, 세계 [-1위-]{+2위+}\n" in ran.out
    assert "6호를 [-공개했다-]{+내놓았다+}.\n" in ran.out
    assert "42억원이다.{+\n\n바로잡습니다: 순위는 2위입니다.+}\n" in ran.out
    assert "{+2026-01-08 08:00:00+}" in ran.out


def test_colours_where_there_are_any(archive: Path) -> None:
    ran = process("show", EDITED, "--diff", "1..2", "--archive", archive, env={"FORCE_COLOR": "1", "TERM": "xterm"})
    assert "\x1b[9;31m1위\x1b[0m\x1b[32m2위\x1b[0m" in ran.out
    assert "[-" not in ran.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--diff", "2..9"], "no revision 9. It has: 1, 2, 3, 4"),
        (["--diff", "2-3"], "write 2..3"),
        (["--diff", "2..2"], "write 2..3"),
        (["2..3"], "add --diff"),
        (["--history", "--diff"], "give one of them"),
        (["--as-of", "some day"], "is not a time"),
        (["--as-of", "2026-01-01"], "its first revision is of 2026-01-06 09:00:00"),
    ],
)
def test_what_cannot_be_shown_is_said(archive: Path, words: list[str], says: str) -> None:
    ran = seogo("show", EDITED, *words, "--archive", archive)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.complaint


@pytest.mark.parametrize("words", [[], ["--history"], ["--diff"], ["--as-of", "2026-01-07"]])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        (key(3, "003").id, f"has the text of {key(1).id}: seogo show {key(1).id}"),
        (key(9, "003").id, "off_topic (relevance 0"),
        (key(99).id, "no run has found it"),
    ],
)
def test_an_id_without_a_text(archive: Path, words: list[str], name: str, says: str) -> None:
    assert says in seogo("show", name, *words, "--archive", archive).complaint


# -- as of


def test_a_text_as_it_was(archive: Path) -> None:
    result = seogo("show", EDITED, "--as-of", "2026-01-07T08:59:59", "--json", "--archive", archive).json
    assert list(result) == [*SHOWN, *(name for name in HELD if name != "gone_at")]
    assert result["title"] == "나래 모델, 세계 1위"
    ran = seogo("show", EDITED, "--as-of", "2026-01-07T09:00", "--archive", archive)
    assert ran.out.splitlines()[0] == "나래 모델, 세계 2위"


@pytest.mark.parametrize("hours", range(0, 120, 8))
def test_as_of_is_what_the_macro_says(archive: Path, hours: int) -> None:
    moment = MADE + timedelta(hours=hours)
    found = read_history(archive, EDITED)
    assert found is not None
    with open_snapshot(archive) as connection:
        sql = f"SELECT revision FROM articles_as_of(TIMESTAMPTZ '{moment}') WHERE id = '{EDITED}'"
        ((revision,),) = run_query(connection, sql)[1]
    assert found.as_of(moment)["revision"] == revision
