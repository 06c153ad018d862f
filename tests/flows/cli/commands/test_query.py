"""`seogo sql`, `show`, `status` and `verify`: what they print, for people and for programs."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from rich.cells import cell_len

from flows.cli.show.rows import ROWS_AT_A_TIME
from schemas.article import Author, Outcome
from schemas.find import FindResult
from storage.archive import open_archive
from storage.reading.reader import HELD, SHOWN
from tests.support.command import COMMAND, Ran, environment, process, seogo
from tests.support.values import PUBLISHED, article, ended, key, receipt, ref, stored

TITLE = 'A, "B"\t소버린 AI \x1b[31m빨강'
FIELDS = [
    *("id", "oid", "aid", "url", "title", "subtitle", "body", "publisher", "authors", "categories"),
    *("published_at", "modified_at", "crawled_at", "original_url", "images", "kind", "content_hash", "text_hash"),
    *("parser", "status", "revision", "revision_kind", "gone_at", "relevance", "on_topic", "reasons"),
    *("teams", "models", "file"),
]
"""The names of the fields, in the guaranteed order."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two articles, a duplicate of the first, and an article that was off topic."""
    root = tmp_path_factory.mktemp("sql") / "archive"
    first = article(1, title=TITLE, authors=(Author("김가온", None), Author(None, "a@example.org")))
    copy = article(3, body=first.body)
    results = [
        stored(first),
        stored(article(2)),
        stored(copy, outcome=Outcome.DUPLICATE, revision_kind=None, duplicate_of=first.id, matched_by="text_hash"),
        FindResult(ref(key(4)), Outcome.OFF_TOPIC, "relevance 0 is below the topic's threshold"),
    ]
    with open_archive(root) as opened:
        run = receipt()
        opened.start_run(run)
        opened.store(run.run_id, results)
        for result in results:
            run.outcomes[result.outcome] += 1
        opened.finish_run(ended(run), {"search_api:소버린 AI": PUBLISHED}, [])
        # A later run finds a known key only.
        later = receipt("20260103T030405Z-0002")
        opened.start_run(later)
        opened.store(later.run_id, [FindResult(ref(key(4)), Outcome.UNCHANGED, "known: off_topic", known=True)])
        opened.finish_run(ended(later), {}, [])
    return root


def sql(archive: Path, query: str, *words: str, stdin: bytes = b"") -> Ran:
    return seogo("sql", query, "--archive", archive, *words, stdin=stdin)


# -- JSON and CSV


def test_json_is_a_list_of_objects_with_times_lists_and_nothing_lost(archive: Path) -> None:
    query = "SELECT id, title, body, published_at, authors, categories, subtitle, relevance FROM articles ORDER BY id"
    ran = sql(archive, query, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    first, second = ran.json
    assert first["title"] == TITLE
    assert first["body"] == article(1).body
    assert datetime.fromisoformat(first["published_at"]) == PUBLISHED + timedelta(minutes=1)
    assert first["published_at"].endswith("+09:00")
    assert first["authors"] == [{"name": "김가온", "email": None}, {"name": None, "email": "a@example.org"}]
    assert second["categories"] == ["IT/과학"]
    assert (second["subtitle"], second["relevance"]) == (None, 5.0)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'nan'::DOUBLE", None),
        ("'-inf'::DOUBLE", None),
        ("1.25::DECIMAL(9, 2)", 1.25),
        ("sum(9007199254740993)", 9007199254740993),
        ("DATE '2025-12-30'", "2025-12-30"),
        ("TIMESTAMP '2025-12-30 09:15:00'", "2025-12-30T09:15:00"),
        ("TIME '09:15:00'", "09:15:00"),
        ("'\\x00\\xFF'::BLOB", "00ff"),
        ("MAP {DATE '2025-12-30': 1}", {"2025-12-30": 1}),
        ("[{'a': ['nan'::DOUBLE]}]", [{"a": [None]}]),
        ("NULL", None),
        ("true", True),
    ],
)
def test_every_value_is_strict_json(archive: Path, expression: str, expected: object) -> None:
    ran = sql(archive, f"SELECT {expression} AS v", "--format", "json")
    # Python writes NaN and Infinity, which are not JSON.
    assert json.loads(ran.out, parse_constant=pytest.fail) == [{"v": expected}]


def test_columns_of_one_name_are_all_there(archive: Path) -> None:
    ran = sql(archive, "SELECT 1 AS id, 2 AS id, 3 AS id_1, 4 AS id", "--format", "json")
    assert sorted(ran.json[0].values()) == [1, 2, 3, 4]
    assert list(ran.json[0])[:2] == ["id", "id_1"]


def test_csv_is_read_back_as_it_was(archive: Path) -> None:
    texts = ["A, B", 'says "yes"', "두 줄\n그리고\r\n셋\r넷", " ", "한글", "a;b", "'"]
    values = ", ".join("('" + text.replace("'", "''") + "')" for text in texts)
    ran = process("sql", f"SELECT t FROM (VALUES {values}) v(t)", "--format", "csv", "--archive", archive)
    assert ran.err == ""
    assert [row[0] for row in csv.reader(io.StringIO(ran.out, newline=""))] == ["t", *texts]
    assert "\r\n" not in ran.out.replace("그리고\r\n", "")


def test_csv_holds_lists_as_json_and_words_as_duckdb_reads_them(archive: Path) -> None:
    query = "SELECT authors, published_at, true AS yes, NULL AS nothing, 0.5::DOUBLE AS half FROM articles ORDER BY id"
    rows = list(csv.DictReader(io.StringIO(sql(archive, query, "--format", "csv").out)))
    assert json.loads(rows[0]["authors"])[0] == {"name": "김가온", "email": None}
    assert rows[0]["published_at"] == "2025-12-30T09:16:20+09:00"
    assert (rows[0]["yes"], rows[0]["nothing"], rows[0]["half"]) == ("true", "", "0.5")


@pytest.mark.parametrize(("form", "expected"), [("csv", "id,title\n"), ("json", "[]\n")])
def test_an_empty_result_still_has_its_columns(archive: Path, form: str, expected: str) -> None:
    assert sql(archive, "SELECT id, title FROM articles WHERE false", "--format", form).out == expected


def test_a_query_from_standard_input(archive: Path) -> None:
    query = "\ufeffSELECT title FROM articles WHERE title LIKE '%소버린%'".encode()
    ran = sql(archive, "-", "--format", "json", stdin=query)
    assert ran.json == [{"title": TITLE}]


# -- refused queries


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT nothing FROM articles", "nothing"),
        ("", "the query is empty"),
        ("-- only a remark", "the query is empty"),
        ("SELECT 1; SELECT 2", "not only the last"),
        ("SELECT ?", "parameters"),
        ("SELECT '\udcff'", "not UTF-8"),
        ("SELECT error('늦은 실수') FROM range(5000)", "늦은 실수"),
        ("DELETE FROM articles", "read-only"),
        ("DROP TABLE articles", "read-only"),
        ("COPY articles TO 'stolen.csv'", "disabled"),
        ("SELECT * FROM read_text('pyproject.toml')", "disabled"),
        ("ATTACH 'other.duckdb'", "disabled"),
        ("SET enable_external_access = true", "external access"),
    ],
)
def test_bad_or_harmful_sql_is_refused_in_words(archive: Path, query: str, says: str) -> None:
    ran = seogo("sql", "--archive", archive, "--", query)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("seogo: ")
    assert "Traceback" not in ran.err
    assert says in ran.err


def test_a_query_that_is_not_utf_8(archive: Path) -> None:
    assert "not UTF-8" in sql(archive, "-", stdin=b"SELECT '\xff'").complaint


def test_several_statements_may_prepare_the_one_that_is_shown(archive: Path) -> None:
    ran = sql(archive, "SET VARIABLE team = '가온'; SELECT getvariable('team') AS team", "--format", "json")
    assert ran.json == [{"team": "가온"}]


# -- tables


def test_a_table_in_a_pipe_is_as_wide_as_its_cells(archive: Path) -> None:
    ran = sql(archive, "SELECT repeat('가', 300) AS long, 'end' AS last")
    (line,) = [line for line in ran.out.splitlines() if "가" in line]
    assert line.split() == ["가" * 300, "end"]
    assert ran.out.endswith("1 row\n")


def test_numbers_stand_below_each_other(archive: Path) -> None:
    query = "SELECT '가' AS a, 7 AS n UNION ALL SELECT '가나', 1234 UNION ALL SELECT '가나다', NULL ORDER BY a"
    assert sql(archive, query).out.splitlines()[3:6] == [" 가          7", " 가나     1234", " 가나다"]


def test_many_columns_in_a_narrow_terminal_stand_one_below_the_other(archive: Path) -> None:
    ran = process("sql", "SELECT * FROM articles ORDER BY id", "--archive", archive, env={"COLUMNS": "60"})
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 60
    for name in ("content_hash", "published_at", "run_id"):
        assert sum(line.startswith(f"{name} ") for line in lines) == 2
    assert "─ row 2" in ran.out
    # Folded, but complete.
    assert article(1).content_hash in "".join(ran.out.split())


def test_few_columns_in_a_narrow_terminal_are_folded_and_whole(archive: Path) -> None:
    words = " ".join(f"낱말{n}" for n in range(40))
    ran = process("sql", f"SELECT 'x' AS a, '{words}' AS b", "--archive", archive, env={"COLUMNS": "40"})
    assert all(word in ran.out for word in words.split())


def test_a_long_table_is_shown_while_it_is_read(archive: Path) -> None:
    count = 2 * ROWS_AT_A_TIME + 1
    ran = sql(archive, f"SELECT 'row' || range AS r FROM range({count})")
    assert [word for word in ran.out.split() if word.startswith("row")][:-1] == [f"row{n}" for n in range(count)]
    assert f"{count:,} rows" in ran.out


def test_a_table_steers_no_terminal_and_shows_numbers_whole(archive: Path) -> None:
    ran = sql(archive, "SELECT title, 1234567.891::DOUBLE AS number, false AS no, NULL AS nothing FROM articles")
    assert "\x1b" not in ran.out
    assert "␛[31m빨강" in ran.out
    assert "1234567.891" in ran.out
    assert "false" in ran.out
    shown = seogo("show", article(1).id, "--archive", archive).out
    assert "\x1b" not in shown


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_reader_that_has_had_enough_ends_the_query_in_peace(archive: Path, form: str) -> None:
    words = ["sql", "SELECT range AS n FROM range(100000000)", "--format", form, "--archive", str(archive)]
    with subprocess.Popen(
        [*COMMAND, *words], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline()
        running.stdout.close()
        assert (running.wait(20), running.stderr.read()) == (0, b"")


def test_a_terminal_shows_tables_in_its_width(archive: Path) -> None:
    lines = list(_in_terminal("sql", "SELECT id, title, body FROM articles", "--archive", str(archive), columns=72))
    assert max(map(cell_len, lines)) <= 72
    assert any("A, " in line for line in lines)


def _in_terminal(*words: str, columns: int) -> Iterator[str]:
    """What a command prints in a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = environment(TERM="xterm")
    with subprocess.Popen([*COMMAND, *words], env=env, stdout=theirs, stderr=theirs, stdin=theirs) as running:
        os.close(theirs)
        printed = b"".join(_read_to_end(ours))
        assert running.wait(20) == 0
    os.close(ours)
    yield from re.sub(r"\x1b\[[0-9;?]*[a-z]", "", printed.decode()).splitlines()


def _read_to_end(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            if not (part := os.read(terminal, 65536)):
                return
        except OSError:  # Linux: the other side is closed
            return
        yield part


# -- show


def test_show_prints_the_promised_fields(archive: Path) -> None:
    ran = seogo("show", article(1).id, "--json", "--archive", archive)
    assert list(ran.json) == FIELDS
    assert [*SHOWN, *HELD] == FIELDS
    assert (ran.json["status"], ran.json["gone_at"]) == ("archived", None)
    assert ran.json["title"] == TITLE
    assert ran.json["authors"][0] == {"name": "김가온", "email": None}
    assert ran.json["images"] == [{"url": "https://imgnews.pstatic.net/1.jpg", "caption": "설명"}]
    assert ran.json["modified_at"] is None
    for name in ("published_at", "crawled_at"):
        assert datetime.fromisoformat(ran.json[name]).tzinfo is not None
    assert ran.json["content_hash"] == article(1).content_hash


@pytest.mark.parametrize(
    "name", ["https://n.news.naver.com/article/001/0000000002?sid=105", " 001_0000000002 "], ids=["address", "spaces"]
)
def test_show_takes_any_name_of_an_article(archive: Path, name: str) -> None:
    assert seogo("show", name, "--json", "--archive", archive).json["id"] == article(2).id


def test_show_is_readable(archive: Path) -> None:
    ran = seogo("show", article(2).id, "--archive", archive)
    assert ran.out.splitlines()[0] == article(2).title
    assert ran.out.rstrip().endswith("값은 14억원이다.")
    assert "2025-12-30 09:17:20" in ran.out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("001_0000000003", "has the text of 001_0000000001: seogo show 001_0000000001"),
        ("001_0000000004", "off_topic (relevance 0 is below the topic's threshold)"),
        ("001_0000000005", "no run has found it"),
        ("독파모", "An id looks like 119_0003042504"),
        ("https://example.org/1", "not the address of a Naver article"),
    ],
)
def test_show_says_why_there_is_nothing_to_show(archive: Path, name: str, says: str) -> None:
    ran = seogo("show", name, "--archive", archive)
    assert ran.code == 2
    assert says in ran.complaint


def test_gaps_that_nobody_can_close_are_one_line_of_the_status(archive: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(archive, tmp_path / "archive"))
    reason = "https://search.naver.com/robots.txt disallows it for seogo"
    with duckdb.connect(str(root / "archive.duckdb")) as connection:
        for number in range(8):
            gap = (f"search_page:독자 {number}", PUBLISHED, PUBLISHED + timedelta(hours=1), "gap", reason, "r")
            connection.execute("INSERT INTO coverage VALUES (?, ?, ?, ?, ?, ?)", gap)
    shown = seogo("status", "--archive", root).out
    (line,) = [line for line in shown.splitlines() if line.startswith("gap: ")]
    assert line.startswith("gap: search_page:독자 0 and 7 more: 2025-12-30 ")
    assert line.endswith(reason)
    assert "backfill --gaps" not in shown
    assert len(seogo("status", "--json", "--archive", root).json["gaps"]) == 8


@pytest.mark.parametrize(
    "words", [["status"], ["show", "001_0000000001"], ["sql", "FROM daily"], ["sql", "SELECT 1 WHERE false"]]
)
def test_in_a_pipe_no_line_is_padded(archive: Path, words: list[str]) -> None:
    lines = process(*words, "--archive", archive).out.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []
    assert len(lines) > 1


# -- status and verify


def test_status_for_machines_and_people(archive: Path) -> None:
    result = seogo("status", "--json", "--archive", archive).json
    assert (result["articles"], result["on_topic"]) == ({"archived": 2}, {"unknown": 2})
    assert result["duplicates"] == 1
    assert result["runs"] == 2
    assert result["sources"] == {"search_api:소버린 AI": PUBLISHED.isoformat()}
    assert result["last_run"]["run_id"] == "20260103T030405Z-0002"
    shown = seogo("status", "--archive", archive).out
    assert "search_api:소버린 AI: read up to 2025-12-30 09:15:20" in shown
    assert "last run: crawl of 2026-01-02 12:04:05: done" in shown


@pytest.mark.parametrize("command", [["sql", "SELECT 1"], ["show", "001_0000000001"], ["status"], ["verify"]])
def test_no_archive_is_said_so_and_none_is_made(tmp_path: Path, command: list[str]) -> None:
    ran = seogo(*command, "--archive", tmp_path / "none")
    assert ran.code == 2
    assert "rawl or import first" in ran.complaint
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_copy_for_readers_is_named(tmp_path: Path) -> None:
    (tmp_path / "archive.duckdb").write_bytes(b"no database" * 1000)
    ran = seogo("status", "--archive", tmp_path)
    assert ran.code == 8
    assert "cannot be opened" in ran.complaint


def test_verify_counts_and_names_what_disagrees(archive: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", archive, tmp_path / "copy"], check=True)
    assert seogo("verify", "--archive", tmp_path / "copy").out == "2 articles, 2 files, 0 captures: all agree\n"
    (file, other) = sorted((tmp_path / "copy" / "articles").rglob("*.md"))
    file.write_text(file.read_text("utf-8").replace("억원", "조원"), "utf-8")
    other.unlink()
    ran = seogo("verify", "--archive", tmp_path / "copy")
    assert ran.code == 8
    assert "content_hash is not that of the body" in ran.out
    assert "missing" in ran.out
    result = seogo("verify", "--json", "--archive", tmp_path / "copy")
    assert (result.code, result.json["articles"], len(result.json["faults"])) == (8, 2, 3)
