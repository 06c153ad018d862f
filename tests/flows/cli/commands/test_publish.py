"""`seogo publish`, `export` and `report`: output, JSON and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli.commands.publish import FORMATS
from flows.cli.exit_codes import Exit
from storage.exports.full import FORMS
from storage.state.lease import leased
from tests.support.archives import new_archive
from tests.support.command import seogo


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return new_archive(tmp_path / "archive", 1, 2, 3)


def test_publish_tells_what_it_wrote_and_that_nothing_is_left_to_do(root: Path) -> None:
    first = seogo("publish", "--archive", root)
    assert (first.code, "month=2025-12/articles.parquet: written" in first.out) == (0, True)
    again = seogo("publish", "--archive", root)
    assert (again.code, again.out.startswith("nothing changed")) == (0, True)
    assert seogo("publish", "--json", "--archive", root).json["changed"] is False


def test_publish_tells_what_an_object_store_got(root: Path, tmp_path: Path) -> None:
    place = f"file://{tmp_path}/place"
    first = seogo("publish", "--to", place, "--delta", "--archive", root)
    assert first.code == 0
    assert f"{place}: 3 objects uploaded" in first.out.replace("\n", "")
    assert f"{place}/delta/articles: 1 commit," in first.out.replace("\n", "")
    assert seogo("publish", "--to", place, "--delta", "--archive", root).out.startswith("nothing changed")


def test_only_the_chosen_parts_are_published(root: Path) -> None:
    done = seogo(
        "publish", "--format", "jsonl", "--format", "markdown", "--format", "jsonl", "--json", "--archive", root
    )
    assert [one["format"] for one in done.json["exports"]] == ["jsonl", "markdown"]


@pytest.mark.parametrize("form", FORMATS)
def test_export_in_each_format_to_a_folder(root: Path, tmp_path: Path, form: str) -> None:
    done = seogo("export", "--format", form, "--to", tmp_path / "out", "--json", "--archive", root)
    assert (done.code, done.json["articles"]) == (0, 3)
    (name,) = done.json["written"]
    assert (tmp_path / "out" / name).stat().st_size == done.json["bytes"]
    assert not (root / "exports").exists()
    assert seogo("export", "--format", form, "--to", tmp_path / "out", "--archive", root).out.startswith("nothing")


def test_report_as_markdown_and_as_json(root: Path) -> None:
    ran = seogo("report", "--days", "30", "--archive", root)
    assert (ran.code, ran.out.split(" ")[:3]) == (0, ["#", "30", "days"])
    assert seogo("report", "--json", "--archive", root).json["articles"] == 3


def test_the_formats_offered_are_those_that_there_are() -> None:
    assert tuple(FORMS) == FORMATS


def test_a_page(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert ". is a directory" in seogo("report", "--html", ".", "--archive", root).complaint
    ran = seogo("report", "--html", file, "--archive", root)
    assert (ran.code, str(file) in ran.out, file.read_text("utf-8").startswith("<!doctype html>")) == (0, True, True)
    assert seogo("report", "--html", file, "--json", "--archive", root).json == {
        "file": str(file),
        "bytes": file.stat().st_size,
    }


def test_the_codes_of_what_goes_wrong(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    typo = tmp_path / "typo"
    for words, code in {
        ("publish", "--archive", typo): Exit.BAD_INPUT,
        ("export", "--archive", typo): Exit.BAD_INPUT,
        ("report", "--archive", typo): Exit.BAD_INPUT,
        ("report", "--days", "0", "--archive", root): Exit.BAD_INPUT,
        ("report", "--days", "9999", "--archive", root): Exit.BAD_INPUT,
        ("export", "--format", "xlsx", "--archive", root): Exit.BAD_INPUT,
        ("export", "--to", tmp_path / "file" / "below", "--archive", root): Exit.STORAGE_FAULT,
    }.items():
        ran = seogo(*words)
        assert (ran.code, "Traceback" in ran.err) == (code, False), words
    assert not typo.exists()


def test_while_another_writes(root: Path) -> None:
    """publish fails unless it is given time to wait; export and report need no lock."""
    with leased(root):
        assert seogo("publish", "--archive", root).code == Exit.ARCHIVE_BUSY
        assert seogo("export", "--archive", root).code == Exit.DONE
        assert seogo("report", "--archive", root).code == Exit.DONE
