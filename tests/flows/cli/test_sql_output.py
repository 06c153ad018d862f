"""`seogo sql`: where the query comes from, and rows written to files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.cli.exit_codes import Exit
from storage.reading.reader import open_snapshot
from tests.support.command import Ran, seogo

QUERY = "SELECT id, title, teams, published_at FROM articles ORDER BY id"


def sql(archive: Path, *words: str | Path, stdin: bytes = b"") -> Ran:
    return seogo("sql", *words, "--archive", archive, stdin=stdin)


def rows_of(archive: Path, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = sql(archive, query, "--format", "json").json
    return rows


# -- the query


def test_a_query_from_a_file(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("-- 제목\nSELECT title FROM articles\nWHERE title LIKE '%세계%';\n", "utf-8-sig")
    assert sql(archive, "--file", file, "--format", "json").json == [{"title": "나래 모델, 세계 2위"}]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "A prompt needs a terminal"),
        (["--format", "parquet"], "needs a file: add --to FILE"),
        (["SELECT 1", "--file", "x.sql"], "give one query"),
        (["SELECT 1", "--example", "waiting"], "give one query"),
        (["--file", "missing.sql"], "missing.sql cannot be read"),
        (["SELECT 1", "--format", "parquet"], "needs a file: add --to FILE"),
        (["SELECT 1", "--to", "x.xlsx"], "add --format csv, json or parquet"),
        (["SELECT 1", "--to", "missing/x.csv", "--format", "csv"], "does not exist"),
        (["SELECT 1", "--to", "/dev/null", "--format", "csv"], "is not a regular file"),
    ],
)
def test_what_does_not_go_together(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = sql(archive, *words)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.complaint
    assert list(tmp_path.iterdir()) == []


# -- files


def test_parquet_holds_the_result(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    ran = sql(archive, QUERY, "--format", "parquet", "--to", file)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{file}: ")
    table = pq.read_table(file)
    with open_snapshot(archive) as connection:
        expected = connection.sql(QUERY).to_arrow_table()
    assert table.equals(expected)
    assert table.schema.field("published_at").type == pa.timestamp("us", "Asia/Seoul")
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_of_many_rows_and_of_none(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    query = "SET VARIABLE n = 50_000; SELECT range AS n, 'row ' || range AS t FROM range(getvariable('n'))"
    assert sql(archive, query, "--format", "parquet", "--to", file).code == 0
    assert pq.read_table(file).column("n").to_pylist() == list(range(50_000))
    assert sql(archive, "SELECT id FROM articles WHERE false", "--format", "parquet", "--to", file).code == 0
    assert pq.read_table(file).to_pydict() == {"id": []}


def test_columns_of_one_name_are_all_in_the_file(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    sql(archive, "SELECT 1 AS id, 2 AS id, 3 AS id_1", "--format", "parquet", "--to", file)
    assert sorted(pq.read_table(file).to_pylist()[0].values()) == [1, 2, 3]


def test_csv_and_json_go_to_files_as_they_are_printed(archive: Path, tmp_path: Path) -> None:
    for form in ("csv", "json"):
        file = tmp_path / f"rows.{form}"
        assert sql(archive, QUERY, "--format", form, "--to", file).out.startswith(f"{file}: ")
        assert file.read_text("utf-8") == sql(archive, QUERY, "--format", form).out
    assert len(json.loads((tmp_path / "rows.json").read_text("utf-8"))) == 4
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as opened:
        assert [row["title"] for row in csv.DictReader(opened)] == [row["title"] for row in rows_of(archive, QUERY)]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT CASE WHEN range > 20000 THEN error('늦은 실수') ELSE 'x' END AS v FROM range(30000)", "늦은 실수"),
        ("SELECT nothing FROM articles", "nothing"),
        ("DELETE FROM articles", "read-only"),
        ("COPY articles TO 'stolen.parquet'", "disabled"),
        ("SELECT 1; SELECT 2", "not only the last"),
        ("", "the query is empty"),
    ],
)
def test_a_query_that_fails_leaves_the_old_file(
    archive: Path, tmp_path: Path, form: str, query: str, says: str
) -> None:
    file = tmp_path / "rows"
    file.write_text("before")
    ran = seogo("sql", "--format", form, "--to", file, "--archive", archive, "--", query)
    assert (ran.code, ran.out) == (2, "")
    message = json.loads(ran.err)["error"]["message"] if form == "json" else ran.err
    assert says in message
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("rows", "before")]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_file_is_what_it_is_called(archive: Path, tmp_path: Path, form: str) -> None:
    by_name, by_word = tmp_path / f"rows.{form}", tmp_path / "rows"
    assert sql(archive, QUERY, "--to", by_name).code == 0
    assert sql(archive, QUERY, "--to", by_word, "--format", form).code == 0
    assert by_name.read_bytes() == by_word.read_bytes()


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_file_that_the_disk_refuses_is_said(archive: Path, tmp_path: Path, form: str) -> None:
    file = tmp_path / ("x" * 250)  # too long with the prefix and the suffix of the temporary file
    ran = seogo("sql", "--format", form, "--to", file, "--archive", archive, "--", QUERY)
    assert (ran.code, ran.out) == (Exit.STORAGE_FAULT, "")
    assert "cannot be written: File name too long. Choose another with --to FILE" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_what_parquet_cannot_hold_is_said(archive: Path, tmp_path: Path) -> None:
    ran = sql(archive, "SELECT INTERVAL 1 DAY AS v", "--format", "parquet", "--to", tmp_path / "x.parquet")
    assert "Cast the column to VARCHAR" in ran.complaint
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_into_the_archive(archive: Path, tmp_path: Path) -> None:
    link, folder = tmp_path / "link.csv", tmp_path / "folder"
    link.symlink_to(archive / "archive.duckdb")
    folder.symlink_to(archive)
    before = (archive / "archive.duckdb").read_bytes()
    for target in (archive / "archive.duckdb", archive / "state" / "x.csv", link, folder / "new.csv"):
        ran = sql(archive, "SELECT 1", "--format", "csv", "--to", target)
        assert "is inside the archive" in ran.complaint
    assert (archive / "archive.duckdb").read_bytes() == before
    assert not (archive / "new.csv").exists()


def test_a_link_elsewhere_is_followed(archive: Path, tmp_path: Path) -> None:
    link, real = tmp_path / "link.csv", tmp_path / "real.csv"
    real.touch()
    link.symlink_to(real)
    sql(archive, "SELECT 1 AS one", "--format", "csv", "--to", link)
    assert link.is_symlink()
    assert real.read_text() == "one\n1\n"
