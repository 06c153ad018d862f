"""The command line itself: help, arguments, errors, closed pipes."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from flows.cli.app import app
from flows.cli.arguments import since_from, time_from
from flows.cli.errors import asks_for_json
from flows.cli.exit_codes import Exit
from flows.cli.options import whole
from schemas import errors
from schemas.article import SEOUL
from tests.support.command import COMMAND, environment, process, seogo

HEAVY = {
    *("prefect", "duckdb", "httpx", "rich", "pydantic", "pyarrow", "selectolax", "uvicorn", "yaml", "warcio"),
    *("jinja2", "asyncio", "ssl", "json"),
}
"""Modules that take long to import; `json` is fast, but a sign that something was imported too early."""


def commands() -> list[list[str]]:
    """The names of all commands."""
    top = get_command(app())
    found = []
    for name, command in top.commands.items():  # type: ignore[attr-defined]
        found += [[name, sub] for sub in command.commands] if hasattr(command, "commands") else [[name]]
    return found


# -- times and completions


@pytest.mark.parametrize(
    ("text", "ago"), [("7d", timedelta(days=7)), ("12h", timedelta(hours=12)), ("30m", timedelta(minutes=30))]
)
def test_a_time_so_long_ago(text: str, ago: timedelta) -> None:
    before = datetime.now(UTC) - ago
    found = time_from("--since", text)
    assert before <= found <= datetime.now(UTC) - ago
    assert since_from(text) is not None


def test_a_day_by_its_name_begins_at_midnight_in_korea() -> None:
    today, yesterday = time_from("--as-of", "today"), time_from("--as-of", "yesterday")
    assert today - yesterday == timedelta(days=1)
    assert (today.astimezone(SEOUL).hour, today.utcoffset()) == (0, timedelta(hours=9))
    assert time_from("--as-of", "2026-11-01").isoformat() == "2026-11-01T00:00:00+09:00"


@pytest.mark.parametrize("text", ["7", "d", "7w", "-7d", "７d", "tomorrow", "99999d"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(errors.BadInput, match="write 2025-12-28, 2025-12-28T09:30, yesterday or 7d"):
        time_from("--since", text)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("seogo export --format ", ["parquet", "jsonl", "jsonl.gz", "markdown", "markdown-strict", "atom"]),
        ("seogo publish --format json", ["jsonl", "jsonl.gz"]),
        ("seogo sql --format ", ["table", "csv", "json", "parquet"]),
        ("seogo sql --example teams-", ["teams-together"]),
        ("seogo search --sort ", ["relevance", "newest"]),
    ],
)
def test_the_shell_completes_choices(words: str, offered: list[str]) -> None:
    asked = {"_SEOGO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = Path(sys.executable).with_name("seogo")  # the name of the variable is made of the command's
    ran = subprocess.run([command], env=environment(**asked), capture_output=True, text=True, check=True)
    assert ran.stdout.split() == offered


# -- help


def test_help_names_every_command_in_one_whole_line() -> None:
    ran = seogo("--help")
    assert ran.code == 0
    assert "..." not in ran.out.partition("Commands:")[2]
    for words in commands():
        assert f"\n  {words[0]} " in ran.out


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_each_command_has_help_with_an_example(words: list[str]) -> None:
    ran = seogo(*words, "--help")
    assert ran.code == 0
    assert f"Example: seogo {' '.join(words)}" in ran.out
    # The placeholder of an option is a word, not a Python type.
    assert re.findall(r"^  --.*<.*>", ran.out, re.MULTILINE) == []


def test_the_installed_command_imports_only_what_help_needs() -> None:
    """Commands import what takes long to import when they run, so that help takes 0.15 s."""
    command = shutil.which("seogo", path=str(Path(sys.executable).parent))
    assert command is not None
    words = [sys.executable, "-X", "importtime", command, "--help"]
    done = subprocess.run(words, env=environment(), check=True, capture_output=True, text=True)
    assert "Usage: seogo" in done.stdout
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert {"flows", "typer"} <= imported
    assert imported.isdisjoint(HEAVY)


@pytest.mark.parametrize("words", [["nonsense"], ["crawl", "--limit", "0"], ["crawl", "--limit", "x"], ["sql"], []])
def test_a_command_line_that_is_none(words: list[str]) -> None:
    ran = seogo(*words)
    assert ran.code == Exit.BAD_INPUT
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["crawl", "--limit", "0"], "'--limit': expected a whole number of at least 1 (given '0')"),
        (["crawl", "--limit", "x"], "'--limit': expected a whole number of at least 1 (given 'x')"),
        (["crawl", "--wait", "-1"], "'--wait': expected a number of seconds, 0 or more (given '-1')"),
        (["crawl", "--wait", "nan"], "'--wait': expected a number of seconds, 0 or more (given 'nan')"),
        (["sql", "SELECT 1", "--format", "xml"], "'--format': expected table, csv, json or parquet (given 'xml')"),
        (["replica", "--port", "99999"], "'--port': expected a whole number from 0 to 65,535 (given '99999')"),
    ],
    ids=" ".join,
)
def test_a_wrong_value_of_an_option_is_reported_in_our_own_words(words: list[str], says: str) -> None:
    ran = seogo(*words)
    assert (ran.code, ran.out) == (Exit.BAD_INPUT, "")
    assert ran.err.endswith(f"Error: Invalid value for {says}\n")


@pytest.mark.parametrize("text", ["", " ", "１２", "+1", "1.0", "9" * 5000, "\ud800"])
def test_a_whole_number_is_ascii_digits(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a whole number from 0 to 1,000"):
        whole(0, 1000)(text)
    assert (whole(0, 1000)("0"), whole(1)("001000")) == (0, 1000)


# -- errors as JSON


@pytest.mark.parametrize(
    ("words", "kind", "code"),
    [
        (["topic", "check", "none.yaml", "--json"], "TopicError", 2),
        (["parse", "none.html", "--json"], "BadInput", 2),
        (["parse", "empty.html", "--url", "https://n.news.naver.com/article/001/0000000001", "--json"], "", 4),
        (["crawl", "--json", "--url", "https://example.org/1"], "AddressError", 2),
        (["crawl", "--json", "--archive", "empty.html"], "StorageFault", 9),
        (["import", "none.md", "--json"], "BadInput", 2),
        (["show", "119_0003042504", "--json"], "BadInput", 2),
        (["status", "--json"], "BadInput", 2),
        (["verify", "--json"], "BadInput", 2),
        (["sql", "SELECT 1", "--format", "json"], "BadInput", 2),
        (["sql", "SELECT 1", "--format=json"], "BadInput", 2),
        (["crawl", "--json", "--limit", "0"], "BadInput", 2),
        (["crawl", "--jsan", "--json"], "BadInput", 2),
        (["nonsense", "--json"], "BadInput", 2),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_who_asks_for_json_gets_errors_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], kind: str, code: int
) -> None:
    (tmp_path / "empty.html").touch()
    monkeypatch.chdir(tmp_path)
    ran = seogo(*words)
    assert (ran.code, ran.out) == (code, "")
    (line,) = ran.err.splitlines()
    error = json.loads(line)["error"]
    assert set(error) == {"kind", "message", "exit_code"}
    assert (error["kind"], error["exit_code"]) == (kind or "LayoutChanged", code)
    assert issubclass(getattr(errors, error["kind"]), errors.SeogoError)
    assert error["message"]
    assert "\n" not in error["message"] or kind == "TopicError"


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_an_error_does_not_steer_the_terminal(more: list[str]) -> None:
    ran = seogo("topic", "check", "\x1b[31mnone.yaml", *more)
    assert "none.yaml" in ran.err
    assert "\x1b" not in ran.err


def test_what_stands_behind_two_dashes_asks_for_nothing() -> None:
    assert not asks_for_json(["show", "--", "--json"])
    assert not asks_for_json(["sql", "SELECT 1", "--format", "csv"])
    assert asks_for_json(["show", "x", "--json", "--", "y"])


# -- arguments


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["crawl", "--url", "https://example.org/1"], "is not the address of a Naver article"),
        (["crawl", "--url", ""], "--url has an empty value"),
        (["crawl", "--archive="], "--archive has an empty value"),
        (["publish", "--to", ""], "--to has an empty value"),
        (["search", "모델", "--team", ""], "--team has an empty value"),
        (["import", ""], "an argument is empty"),
        (["import", "--", ""], "an argument is empty"),
        (["crawl", "--since", "tomorrow"], "write 2025-12-28"),
        (["crawl", "--since", "2999-01-01"], "and now"),
        (["crawl", "--since", "0001-01-01"], "2000-01-01"),
        (["crawl", "--from-file", "none.txt"], "none.txt cannot be read: No such file"),
        (["crawl", "--from-file", "."], ". cannot be read: Is a directory"),
        (["crawl", "--topic", "none.yaml"], "none.yaml: no such file"),
        (["crawl", "--topic", "."], ".: not a file"),
        (["import", "none.md"], "none.md does not exist"),
        (["parse", "none.html"], "none.html cannot be read: No such file"),
        (["parse", "."], ". cannot be read: Is a directory"),
        (["parse", "empty.html"], "does not say where it comes from: give its address with --url"),
        (["parse", "empty.html", "--url", "https://example.org"], "seogo has no parser for"),
        (["parse", "empty.html", "--url", "http://[::1"], "seogo has no parser for"),
        (["parse", "torn.html.gz"], "torn.html.gz is a damaged gzip file"),
        (["topic", "check", "none.yaml"], "none.yaml: no such file"),
        (["demo", "--archive", "empty.html"], "was not made by a demo"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_what_cannot_be_used_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    (tmp_path / "empty.html").touch()
    (tmp_path / "torn.html.gz").write_bytes(gzip.compress(b"<p>" * 1000)[:-12])
    monkeypatch.chdir(tmp_path)
    ran = seogo(*words)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.complaint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.html", "torn.html.gz"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"# only remarks\n\n", "contains no address"),
        (b"", "contains no address"),
        (b"# a remark\nhttps://n.news.naver.com/article/1/2\n", "addresses.txt:2: "),
        ("# 주소\n".encode("cp949"), "is not UTF-8 (byte 2)"),
    ],
    ids=["remarks", "empty", "wrong", "cp949"],
)
def test_a_file_of_addresses_that_cannot_be_used(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "addresses.txt"
    file.write_bytes(content)
    ran = seogo("crawl", "--from-file", file, "--archive", tmp_path / "archive")
    assert ran.code == 2
    assert says in ran.complaint
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8000", "http://127.0.0.1:8000/path", "ftp://127.0.0.1", "http://a:99999"]
)
def test_a_stand_in_that_is_none(tmp_path: Path, address: str) -> None:
    ran = seogo("crawl", env={"SEOGO_NAVER": address, "SEOGO_ARCHIVE": tmp_path / "archive"})
    assert ran.code == 2
    assert f"SEOGO_NAVER={address!r}" in ran.complaint
    assert list(tmp_path.iterdir()) == []


# -- output that cannot be written, signals, locales


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_an_output_that_is_full_is_said_so() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "topic", "check"], env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (Exit.STORAGE_FAULT, "seogo: the output: No space left on device.\n")


@pytest.mark.parametrize("words", [["--help"], ["crawl", "--help"], ["--version"], ["topic", "check"]], ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_reader_that_left_is_no_error(words: list[str], unbuffered: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = subprocess.run(
            [*COMMAND, *words],
            env={**environment(), "PYTHONUNBUFFERED": unbuffered},
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(theirs)
    assert (done.returncode, done.stderr) == (Exit.DONE, "")


_STUBBORN = """
import os, signal, time
from flows.cli.signals import on_interrupt
with on_interrupt(lambda: None):
    os.kill(os.getpid(), signal.SIGINT)
    print("still there", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(20)
"""


def test_a_second_interrupt_has_the_last_word() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STUBBORN], env=environment(), capture_output=True, text=True, check=False, timeout=10
    )
    assert (done.returncode, done.stdout) == (Exit.INTERRUPTED, "still there\n")
    assert done.stderr == "seogo: stopped immediately; the next run resumes from what was committed\n"


def test_a_second_interrupt_ends_also_where_nobody_listens() -> None:
    deaf = "import os\nos.close(2)\n" + _STUBBORN
    done = subprocess.run(
        [sys.executable, "-c", deaf], env=environment(), stdout=subprocess.PIPE, text=True, check=False, timeout=10
    )
    assert (done.returncode, done.stdout) == (Exit.INTERRUPTED, "still there\n")


def test_a_locale_without_korean_stops_nothing() -> None:
    ran = process("topic", "check", env={"PYTHONIOENCODING": "latin-1"})
    assert ran.code == 0
    assert "\\ub3c5" in ran.out
