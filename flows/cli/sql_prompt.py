"""The prompt of `seogo sql`: statements of several lines, history, completion, and some commands of its own.

Uses the standard library's readline; without it, lines are read without history and completion. The database is opened
for each statement: an answer is always from the newest state, and an idle prompt keeps no file open. Settings and
variables therefore last for one statement.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from rich.text import Text

from flows.cli.show.rows import print_rows
from flows.cli.show.safe import line, shown
from flows.cli.show.terminal import err, out
from flows.cli.sql_output import print_query
from schemas.errors import BadInput, SeogoError
from storage.reading.examples import example, examples
from storage.reading.reader import open_snapshot, run_query

HELP = """\
A query ends with a semicolon and may span several lines. Tab completes tables, columns, examples and SQL keywords.
Each query reads the newest state of the archive; a SET lasts for one query.
  .tables           list tables and views with their descriptions
  .schema TABLE     list the columns of a table with their descriptions
  .examples         list example queries and what they answer
  .example NAME     show and run an example
  .help             show this help
  .quit             quit, as does Ctrl-D. Ctrl-C discards the query, or cancels it while it runs.
The archive as it was at a time: FROM articles_as_of(TIMESTAMPTZ '2026-01-01 00:00:00+09');
"""

MOST_KEPT = 1000
"""Lines of history that are kept."""

_PROMPT, _CONTINUED = "seogo> ", "  ...> "
_DELIMITERS = " \t\n`~!@#$%^&*()=+[{]}\\|;:'\",<>/?"
_QUOTED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
"""Strings, quoted names and comments: a semicolon in them does not end a statement."""

_TABLES = """
    SELECT table_name AS name, comment AS holds FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT view_name, comment FROM duckdb_views() WHERE NOT internal
    ORDER BY name
"""
_COLUMNS = """
    SELECT column_name AS name, data_type AS type, comment AS holds FROM duckdb_columns()
    WHERE NOT internal AND table_name = '{table}' ORDER BY column_index
"""
_NAMES = """
    SELECT 'table', table_name FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT 'table', view_name FROM duckdb_views() WHERE NOT internal
    UNION ALL SELECT 'table', 'articles_as_of'
    UNION SELECT 'column', column_name FROM duckdb_columns() WHERE NOT internal
"""
_KEYWORDS = (
    *("SELECT", "FROM", "WHERE", "GROUP", "BY", "ALL", "ORDER", "DESC", "ASC", "LIMIT", "OFFSET", "HAVING", "QUALIFY"),
    *("JOIN", "LEFT", "FULL", "SEMI", "ANTI", "USING", "ON", "AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE"),
    *("BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "WITH", "AS", "UNION", "EXCEPT", "INTERSECT", "DISTINCT"),
    *("CAST", "INTERVAL", "DATE", "TIMESTAMPTZ", "VARCHAR", "INTEGER", "OVER", "PARTITION", "PIVOT", "UNNEST"),
    *("FILTER", "DESCRIBE", "SUMMARIZE", "EXPLAIN", "EXCLUDE", "NULLS", "FIRST", "LAST", "VALUES", "EXISTS"),
    *("count", "sum", "min", "max", "median", "arg_min", "arg_max", "list", "date_trunc", "contains", "coalesce"),
    *("regexp_matches", "strftime", "date_diff", "round", "length", "now"),
)

_OTHERWISE = {"help": ".help", "quit": ".quit", "exit": ".quit", "\\q": ".quit", "\\?": ".help"}
"""What people type who know other prompts."""

_BEFORE_TABLES = ("FROM", "JOIN", "DESCRIBE", "SUMMARIZE")


# -- statements and completion


def is_complete(text: str) -> bool:
    """Whether a statement is complete: it ends with a semicolon outside of strings, quoted names and comments."""
    bare = _QUOTED.sub(" ", text).rstrip()
    return bare.endswith(";") and not any(opened in bare for opened in ("'", '"', "/*", "$$"))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that can be completed."""

    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    def completions(self, before: str, word: str) -> list[str]:
        """The completions of `word` after the text `before` on its line. A keyword keeps the case of `word`."""
        match before.split():
            case [".schema"]:
                return _beginning(self.tables, word)
            case [".example"]:
                return _beginning(self.examples, word)
            case [] if word.startswith("."):
                return _beginning(tuple(_COMMANDS), word)
            case [*_, last] if last.upper() in _BEFORE_TABLES:
                return _beginning(self.tables, word)
        alias, dot, name = word.rpartition(".")
        if dot:
            return [f"{alias}.{column}" for column in _beginning(self.columns, name)]
        said = str.lower if word.islower() else str
        words = _beginning(tuple(said(one) for one in _KEYWORDS), word)
        return list(dict.fromkeys([*_beginning(self.tables, word), *_beginning(self.columns, word), *words]))


def _beginning(names: tuple[str, ...], word: str) -> list[str]:
    return [name for name in names if name.lower().startswith(word.lower())]


# -- history


def history_path(environment: Mapping[str, str]) -> Path:
    """The history file, in the user's state directory."""
    # By the XDG standard, a relative path is ignored.
    given = Path(environment.get("XDG_STATE_HOME") or "")
    base = given if given.is_absolute() else Path.home() / ".local" / "state"
    return base / "seogo" / "sql_history"


class History:
    """The lines that were typed, in a file only its user can read. If it cannot be written, one warning is printed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = True

    def lines(self) -> list[str]:
        """The newest MOST_KEPT lines, oldest first. A longer file is cut."""
        try:
            if not self._path.exists():
                return []
            lines = self._path.read_text("utf-8", errors="replace").splitlines()
            if len(lines) > 2 * MOST_KEPT:
                self._path.write_text("".join(f"{one}\n" for one in lines[-MOST_KEPT:]), "utf-8")
        except OSError as error:
            self._give_up(error)
            return []
        return lines[-MOST_KEPT:]

    def add(self, lines: list[str]) -> None:
        """Append lines."""
        if not self._kept:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8", errors="replace") as file:
                file.writelines(f"{one}\n" for one in lines)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._kept = False
        err.print(Text(line(f"history is not saved: {self._path}: {error.strerror}"), style="dim"))


def as_lines(statement: str) -> list[str]:
    """A statement as lines of history: one, unless a line comment or a string needs its line break."""
    if "--" in statement or any("\n" in quiet[0] for quiet in _QUOTED.finditer(statement)):
        return [one for one in statement.splitlines() if one.strip()]
    return [" ".join(statement.split("\n")).strip()]


# -- the prompt


class Prompt:
    """A prompt on an archive. `ask` reads a line as `input` does; `form` is the format of rows."""

    def __init__(self, archive: Path, form: str, history: History, ask: Callable[[str], str] = input) -> None:
        self._archive = archive
        self._form = form
        self._history = history
        self._ask = ask
        self._readline = _readline()

    def run(self) -> None:
        """Read and run statements until the end of input."""
        self._prepare()
        out.print(Text(f"{self._archive}: .help shows the commands, Ctrl-D quits", style="dim"))
        while (statement := self._statement()) is not None:
            try:
                if statement in (".quit", ".exit"):
                    return
                self._answer(statement)
            except SeogoError as error:
                err.print(Text(shown(error), style="red"), soft_wrap=True)  # DuckDB points at the error
            except KeyboardInterrupt:
                err.print(Text("interrupted", style="dim"))
        out.print()

    def _statement(self) -> str | None:
        """The next complete statement, or a command of the prompt; None at the end of input."""
        typed = ""
        while True:
            try:
                line = self._ask(_CONTINUED if typed else _PROMPT)
            except KeyboardInterrupt:
                out.print()
                typed = ""
                continue
            except EOFError:
                return None
            if own := _own_command(line, begun=bool(typed)):
                self._remember([own])
                return own
            typed += line + "\n"
            whole = typed.strip()
            if not whole or whole == ";":
                typed = ""
            elif is_complete(typed):
                self._remember(as_lines(whole))
                return whole

    def _answer(self, statement: str) -> None:
        if not statement.startswith("."):
            self._query(statement, self._form)
            return
        command, _, name = statement.partition(" ")
        act = _COMMANDS.get(command)
        if act is None:
            raise BadInput(f"there is no command {command}: .help lists them.")
        act(self, name.strip())

    def _query(self, sql: str, form: str = "table") -> None:
        print_query(self._archive, sql, form)

    def _remember(self, lines: list[str]) -> None:
        self._history.add(lines)
        if self._readline:
            for one in lines:
                self._readline.add_history(one)

    def _prepare(self) -> None:
        if not self._readline:
            return
        for one in self._history.lines():
            self._readline.add_history(one)
        self._readline.set_auto_history(False)  # a statement of several lines is one entry
        self._readline.set_completer_delims(_DELIMITERS)
        self._readline.set_completer(_completer(self._readline, self._vocabulary()))
        edited = "libedit" in (self._readline.__doc__ or "")
        self._readline.parse_and_bind("bind ^I rl_complete" if edited else "tab: complete")

    def _vocabulary(self) -> Vocabulary:
        with open_snapshot(self._archive) as connection:
            names = sorted({(str(kind), str(name)) for kind, name in run_query(connection, _NAMES)[1]})
        tables, columns = (tuple(name for kind, name in names if kind == wanted) for wanted in ("table", "column"))
        return Vocabulary(tables, columns, tuple(one.name for one in examples()))

    # -- its commands

    def tables(self, _: str) -> None:
        """List tables and views."""
        self._query(_TABLES)

    def schema(self, table: str) -> None:
        """List the columns of a table."""
        with open_snapshot(self._archive) as connection:
            names, rows = run_query(connection, _COLUMNS.format(table=table.replace("'", "''")))
            found = list(rows)
        if not found:
            raise BadInput(f"there is no table {table!r}: .tables lists them.")
        print_rows(names, iter(found), "table")

    def examples(self, _: str) -> None:
        """List the examples and what they answer."""
        show_examples()

    def example(self, name: str) -> None:
        """Show an example, and run it."""
        found = example(name)
        out.print(Text(found.sql, style="dim"))
        self._query(found.sql, self._form)

    def help(self, _: str) -> None:
        """Show the help."""
        out.print(Text(HELP.rstrip()))


_COMMANDS: dict[str, Callable[[Prompt, str], None]] = {
    ".tables": Prompt.tables,
    ".schema": Prompt.schema,
    ".examples": Prompt.examples,
    ".example": Prompt.example,
    ".help": Prompt.help,
}


def _own_command(line: str, *, begun: bool) -> str:
    """The prompt's own command in a line, else nothing. In the middle of a statement, it discards the statement."""
    words = line.strip().removesuffix(";").strip()
    if not begun and words in _OTHERWISE:
        return _OTHERWISE[words]
    known = words.partition(" ")[0] in (*_COMMANDS, ".quit", ".exit")
    return words if known or (words.startswith(".") and not begun) else ""


def show_examples(form: str = "table") -> None:
    """List the examples and what they answer, as `table`, `csv` or `json`."""
    print_rows(["example", "answers"], iter([(one.name, one.answers) for one in examples()]), form)


def prompt(archive: Path, form: str, environment: Mapping[str, str]) -> None:
    """Open the prompt. Raises BadInput if there is no archive."""
    with open_snapshot(archive):
        pass  # a missing archive is an error before anything is typed
    Prompt(archive, form, History(history_path(environment))).run()


def _readline() -> ModuleType | None:
    try:
        import readline
    except ImportError:  # Python was built without it
        return None
    return readline


def _completer(readline: ModuleType, vocabulary: Vocabulary) -> Callable[[str, int], str | None]:
    found: Iterator[str] = iter(())

    def complete(word: str, state: int) -> str | None:
        nonlocal found
        if state == 0:
            before = readline.get_line_buffer()[: readline.get_begidx()]
            found = iter(vocabulary.completions(before, word))
        return next(found, None)

    return complete
