"""The prompt of `seogo sql`: statements, completion, history, commands; and a session in a terminal."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.cli.sql_prompt import MOST_KEPT, History, Prompt, Vocabulary, as_lines, history_path, is_complete
from storage.reading.examples import examples
from tests.support.command import COMMAND, environment

# -- statements


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;",
        "SELECT 1; \n",
        "SELECT 1; -- a remark",
        "SELECT ';';",
        "SELECT 'it''s';",
        'SELECT ";" FROM x;',
        "SELECT 1 /* ; */;",
        "SELECT $$ ' $$;",
        "SELECT $t$ ; $$ $t$;",
        "SET VARIABLE a = 1;\nSELECT 1;",
        *(one.sql for one in examples()),
    ],
)
def test_a_whole_statement(text: str) -> None:
    assert is_complete(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT ';",
        "SELECT 'a;\n",
        "-- SELECT 1;",
        'SELECT ";',
        "SELECT 1 /* ;",
        "SELECT $$ ;",
        "SELECT 1 ;a",
    ],
)
def test_a_statement_that_goes_on(text: str) -> None:
    assert not is_complete(text)


# -- completion

WORDS = Vocabulary(("articles", "archive_info", "runs"), ("title", "teams", "run_id"), ("most-copied", "waiting"))


@pytest.mark.parametrize(
    ("before", "word", "expected"),
    [
        ("SELECT * FROM ", "ar", ["articles", "archive_info"]),
        ("SELECT ", "te", ["teams"]),
        ("SELECT ", "a.ti", ["a.title"]),
        ("", "sel", ["select"]),
        ("", "SEL", ["SELECT"]),
        ("", "Sel", ["SELECT"]),
        ("SELECT 1 ", "ru", ["runs", "run_id"]),
        ("SELECT 1 from ", "ru", ["runs"]),
        ("", ".sch", [".schema"]),
        ("", ".ex", [".examples", ".example"]),
        (".schema ", "r", ["runs"]),
        (".example ", "", ["most-copied", "waiting"]),
        ("SELECT ", "없", []),
    ],
)
def test_completion(before: str, word: str, expected: list[str]) -> None:
    assert WORDS.completions(before, word) == expected


# -- history


def test_history_lies_with_the_users_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_path({"XDG_STATE_HOME": "/state"}) == Path("/state/seogo/sql_history")
    for none in ({}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "relative"}):
        assert history_path(none) == tmp_path / ".local/state/seogo/sql_history"


def test_history_is_kept_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "seogo" / "sql_history"
    assert History(path).lines() == []
    History(path).add(["SELECT 1;"])
    History(path).add(["SELECT '한글';"])
    assert History(path).lines() == ["SELECT 1;", "SELECT '한글';"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_history_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "sql_history"
    History(path).add([f"SELECT {n};" for n in range(2 * MOST_KEPT + 1)])
    kept = History(path).lines()
    assert (len(kept), kept[-1]) == (MOST_KEPT, f"SELECT {2 * MOST_KEPT};")
    assert len(path.read_text().splitlines()) == MOST_KEPT


def test_history_that_cannot_be_kept_is_reported_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    history = History(tmp_path / "file" / "sql_history")
    history.add(["SELECT 1;"])
    history.add(["SELECT 2;"])
    assert capsys.readouterr().err.count("history is not saved") == 1


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1\nFROM x;", ["SELECT 1 FROM x;"]),
        ("SELECT 1 -- one\nFROM x;", ["SELECT 1 -- one", "FROM x;"]),
        ("SELECT 'a\nb';", ["SELECT 'a", "b';"]),
    ],
)
def test_a_statement_as_lines_of_history(statement: str, expected: list[str]) -> None:
    assert as_lines(statement) == expected


# -- a session


Session = Callable[..., str]


@pytest.fixture
def session(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Session:
    def hold(*lines: str | type[BaseException], form: str = "csv") -> str:
        typed = iter(lines)

        def ask(prompt: str) -> str:
            said = next(typed, EOFError)
            if isinstance(said, str):
                return said
            raise said

        Prompt(archive, form, History(tmp_path / "sql_history"), ask).run()
        printed = capsys.readouterr()
        return printed.out + printed.err

    return hold


def test_a_statement_of_several_lines(session: Session, tmp_path: Path) -> None:
    said = session("SELECT count(*)", "  AS number", "FROM articles", ";")
    assert "number\n4\n" in said
    assert History(tmp_path / "sql_history").lines() == ["SELECT count(*)   AS number FROM articles ;"]


def test_errors_do_not_end_it(session: Session) -> None:
    said = session("SELEC 1;", "DELETE FROM articles;", "", ";", ".nothing", ".schema nothing", "SELECT 'end' AS e;")
    for word in ("syntax error", "read-only", "there is no command .nothing", "no table 'nothing'", "e\nend\n"):
        assert word in said


def test_dot_commands_work_in_the_middle_of_a_statement(session: Session) -> None:
    said = session("SELECT 'dropped'", ".tables", "SELECT 'kept'", "  AS e;")
    assert "One row per article" in said
    assert "e\nkept\n" in said
    assert "dropped" not in said
    assert "after" not in session("SELECT 1", ".quit", "SELECT 'after';")


@pytest.mark.parametrize("word", ["quit", "exit;", "\\q"])
def test_who_types_quit_leaves(session: Session, word: str) -> None:
    assert "after" not in session(word, "SELECT 'after';")


def test_ctrl_c_drops_what_was_typed(session: Session) -> None:
    assert "end" in session("SELECT 'dropped'", KeyboardInterrupt, "SELECT 'end';")
    assert "dropped" not in session("SELECT 'dropped'", KeyboardInterrupt, "SELECT 'end';")


def test_its_own_words(session: Session) -> None:
    assert "One row per article, with its newest text." in session(".tables")
    assert "headline, in normal form C" in session(".schema articles;")
    assert "most-copied" in session(".examples")
    assert "articles\n가온,나래,1\n" in session(".example teams-together")
    assert ".schema TABLE" in session(".help")
    assert "after" not in session(".quit", "SELECT 'after';")


# -- in a terminal


class Terminal:
    """A process in a terminal."""

    def __init__(self, ours: int) -> None:
        self._ours = ours
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a read may end inside a character
        self.seen = ""

    def send(self, text: str) -> None:
        self.seen = ""
        os.write(self._ours, text.encode())

    def expect(self, text: str) -> None:
        """Read until this text appears. Fails after 20 seconds."""
        end = time.monotonic() + 20
        while text not in self.seen:
            ready, _, _ = select.select([self._ours], [], [], max(end - time.monotonic(), 0))
            assert ready, f"{text!r} was not said: {self.seen!r}"
            self.seen += re.sub(r"\x1b\[[0-9;?]*[a-z]|\r", "", self._decoder.decode(os.read(self._ours, 65536)))


@contextmanager
def prompt_on(archive: Path, state: Path) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    ours, theirs = pty.openpty()
    env = environment(TERM="dumb", XDG_STATE_HOME=state, LC_ALL="C.UTF-8")
    words = [*COMMAND, "sql", "--archive", str(archive)]
    running = subprocess.Popen(words, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        terminal = Terminal(ours)
        terminal.expect("seogo> ")
        yield terminal, running
    finally:
        running.kill()
        running.wait()
        os.close(ours)


def test_a_session_in_a_terminal(archive: Path, tmp_path: Path) -> None:
    with prompt_on(archive, tmp_path) as (terminal, running):
        terminal.send("SELECT count(*) AS n FROM dupl\t;\n")
        terminal.expect("1 row\nseogo> ")
        assert "FROM duplicates" in terminal.seen
        terminal.send("SELECT '한글' AS t\n")
        terminal.expect("...> ")
        terminal.send(", 'two' AS u;\n")
        terminal.expect("1 row\nseogo> ")
        assert "한글" in terminal.seen
        terminal.send("\x04")
        assert running.wait(20) == 0
    with prompt_on(archive, tmp_path) as (terminal, running):
        terminal.send("\x10")  # Ctrl-P: the previous statement
        terminal.expect("SELECT '한글' AS t , 'two' AS u;")
        terminal.send("\n")
        terminal.expect("1 row\nseogo> ")


def test_ctrl_c_ends_a_query_and_not_the_session(archive: Path, tmp_path: Path) -> None:
    with prompt_on(archive, tmp_path) as (terminal, running):
        for _ in range(2):
            terminal.send("SELECT count(*) FROM range(1000000) a, range(1000000) b;\n")
            time.sleep(0.4)
            running.send_signal(2)
            terminal.expect("interrupted\nseogo> ")
        terminal.send("SELECT 'typed in vain'")
        terminal.expect("vain'")
        time.sleep(0.5)  # a signal before Python waits for the next key would only be handled after that key
        running.send_signal(2)
        terminal.expect("seogo> ")
        terminal.send("SELECT 6 * 7 AS answer;\n")
        terminal.expect("1 row\n")
        assert "42" in terminal.seen
        assert running.poll() is None
