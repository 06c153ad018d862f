"""The command `seogo search`: what it prints, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from storage.archive import open_archive
from storage.layout import SEARCH_INDEX
from tests.support.archives import import_documents, store_new, write_document
from tests.support.command import COMMAND, environment, process, seogo
from tests.support.histories.analyst import make
from tests.support.values import article, key

COLUMNS = ["id", "title", "publisher", "published_at", "status", "on_topic", "story", "score", "snippet"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("archive"))


def test_json_is_one_document_with_these_keys(root: Path) -> None:
    ran = seogo("search", "노을 OR 가온", "--sort", "newest", "--limit", "2", "--json", "--archive", root)
    assert ran.code == 0, ran.err
    assert list(ran.json) == ["query", "total", "hits"]
    assert (ran.json["query"], ran.json["total"]) == ("노을 OR 가온", 4)
    assert [hit["id"] for hit in ran.json["hits"]] == [key(6).id, key(7).id]
    assert {tuple(hit) for hit in ran.json["hits"]} == {tuple(COLUMNS)}
    assert ran.json["hits"][1] == {
        "id": key(7).id,
        "title": "지워진 글",
        "publisher": "가온신문",
        "published_at": "2026-01-05T08:00:00+09:00",
        "status": "gone",
        "on_topic": ran.json["hits"][0]["on_topic"],
        "story": None,
        "score": None,
        "snippet": "**가온**연구소가 독자 모델 7호를 공개했다. 두 번째 문단이다. 값은 49억원이다.",
    }


def test_a_person_sees_marks_status_reason_and_count(root: Path) -> None:
    title, about, snippet, blank, last = seogo("search", "지워진", "글", "--archive", root).out.splitlines()
    assert title == "**지워진** **글**"
    assert about.startswith(f"가온신문 · 2026-01-05 08:00:00 · gone · {key(7).id} · in the title, BM25 ")
    assert snippet == "가온연구소가 독자 모델 7호를 공개했다. 두 번째 문단이다. 값은 49억원이다."
    assert (blank, last) == ("", "1 article")


def test_in_a_terminal_marks_are_colours(root: Path) -> None:
    variables = {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "COLUMNS": "200"}
    ran = process("search", "가온", "--archive", root, env=variables)
    assert "\x1b[1;33m가온\x1b[0m연구소가" in ran.out
    assert "**" not in ran.out


def test_filters(root: Path) -> None:
    def ids(*options: str) -> list[str]:
        ran = seogo("search", "모델", *options, "--sort", "newest", "--json", "--archive", root)
        return [hit["id"][-1] for hit in ran.json["hits"]]

    assert ids() == ["6", "7", "2", "1"]
    assert ids("--team", "나래") == ["6", "2"]
    assert ids("--publisher", "가온신문") == ["7", "1"]
    assert ids("--status", "gone") == ["7"]
    assert ids("--from", "2025-12-30") == ["6", "7", "2"]
    assert ids("--to", "2025-12-30") == ["2", "1"]
    assert ids("--from", "2025-12-30", "--to", "2025-12-30") == ["2"]
    assert ids("--limit", "0") == ids()


def test_csv_and_parquet_have_the_same_rows(root: Path) -> None:
    printed = seogo("search", "모델", "--format", "csv", "--archive", root)
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert list(rows[0]) == COLUMNS
    command = [*COMMAND, "search", "모델", "--format", "parquet", "--archive", str(root)]
    written = subprocess.run(command, env=environment(), check=True, capture_output=True)
    table = pq.read_table(io.BytesIO(written.stdout))
    assert table.column_names == COLUMNS
    assert table["id"].to_pylist() == [row["id"] for row in rows]
    assert table["score"].to_pylist() == [float(row["score"]) for row in rows]


def test_hits_are_joined_with_the_archive_by_id(root: Path, tmp_path: Path) -> None:
    """As docs/search.md shows it."""
    hits = tmp_path / "hits.parquet"
    with hits.open("wb") as file:
        command = [*COMMAND, "search", "나래", "--limit", "0", "--format", "parquet", "--archive", str(root)]
        subprocess.run(command, env=environment(), check=True, stdout=file)
    with duckdb.connect(str(root / "archive.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            f"SELECT publisher, count(*) FROM articles SEMI JOIN '{hits}' USING (id) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert rows == [("다온일보", 1), ("라온방송", 1)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["가온 ("], "The query cannot be read at its end: expected a word to find"),
        ([""], "The query is empty"),
        (["가온", "--team", "나레"], "--team 나레: no article of the archive has it"),
        (["가온", "--publisher", "가온신뭄"], "no article of the archive has it. Did you mean 가온신문?"),
        (["가온", "--from", "gestern"], "'gestern' is not a day: write 2025-12-01"),
        (["가온", "--from", "2026-01-02", "--to", "2026-01-01"], "--from 2026-01-02 is after --to 2026-01-01"),
        (["가온", "--limit", "many"], "expected a whole number of at least 0"),
        (["가온", "--status", "lost"], "expected archived, listed, imported or gone"),
        (["가온", "--sort", "best"], "expected relevance or newest"),
    ],
)
def test_a_mistake_ends_with_2_and_says_what_was_expected(root: Path, words: list[str], said: str) -> None:
    ran = seogo("search", *words, "--archive", root)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_a_mistake_is_json_for_machines(root: Path) -> None:
    ran = seogo("search", '"가온', "--json", "--archive", root)
    error = json.loads(ran.err)["error"]
    assert (ran.code, ran.out, error["kind"], error["exit_code"]) == (2, "", "QueryError", 2)


def test_bytes_that_are_no_text_are_refused(root: Path) -> None:
    command = [*map(os.fsencode, COMMAND), b"search", b"\xff\xfe", b"--archive", os.fsencode(root)]
    ran = subprocess.run(command, env=environment(), check=False, capture_output=True)
    assert ran.returncode == 2
    assert b"Character 1 of the query, U+DCFF, is not text" in ran.stderr


def test_nothing_found_says_so(root: Path) -> None:
    ran = seogo("search", "없는말", "--archive", root)
    assert (ran.code, ran.out) == (0, "0 articles\n")
    assert seogo("search", "없는말", "--json", "--archive", root).json == {"query": "없는말", "total": 0, "hits": []}


def test_where_there_is_no_archive(tmp_path: Path) -> None:
    ran = seogo("search", "가온", "--archive", tmp_path / "none")
    assert ran.code == 2
    assert "there is no archive there" in ran.complaint


class TestImported:
    @pytest.fixture
    def imported(self, tmp_path: Path) -> Path:
        for number in (1, 2):
            write_document(tmp_path / "old", article(number))
        import_documents(tmp_path / "archive", tmp_path / "old")
        with open_archive(tmp_path / "archive") as archive:
            store_new(archive, 3)
        return tmp_path / "archive"

    def test_they_are_found_with_all_and_counted(self, imported: Path) -> None:
        assert seogo("search", "모델", "--json", "--archive", imported).json["total"] == 1
        everything = seogo("search", "모델", "--all", "--json", "--archive", imported).json
        assert sorted(hit["status"] for hit in everything["hits"]) == ["archived", "imported", "imported"]
        ran = seogo("search", "모델", "--archive", imported)
        assert ran.out.endswith("1 article\n2 more are imported or off topic: --all finds them, too\n")

    def test_a_search_takes_in_first_what_was_stored_since(self, imported: Path) -> None:
        (imported / SEARCH_INDEX).unlink()
        assert seogo("search", "모델", "--all", "--json", "--archive", imported).json["total"] == 3
