"""`seogo demo`: everything once, against the replica, by the same commands that a person would type."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flows.console import out
from flows.exits import Exit
from schemas.errors import BadInput

_TEAMS = (
    "SELECT team, count(*) AS articles, count(DISTINCT publisher) AS publishers"
    " FROM (SELECT unnest(teams) AS team, publisher FROM articles) GROUP BY team ORDER BY articles DESC"
)
_READY_WITHIN = 30.0


def run_demo(archive: Path) -> int:
    """Run the demo into a new archive; returns an exit code. Raises BadInput where the folder is something else."""
    _make_room(archive)
    with _replica() as (address, key):
        environment = {**os.environ, "SEOGO_NAVER": address, "SEOGO_TOPIC": str(_topic()), **key}
        environment |= {"SEOGO_ARCHIVE": str(archive)}
        out.rule("1. crawl the last days of a made-up Naver")
        if code := _show("crawl", environment):
            return code
        out.rule("2. crawl again: nothing new")
        if code := _show("crawl", environment):
            return code
    out.rule("3. one article's file")
    newest = max((archive / "articles").rglob("*.md"))
    out.print(f"[dim]{newest}[/dim]")
    out.print(_head(newest.read_bytes().decode()), markup=False)
    out.rule("4. a question in SQL: who is written about?")
    if code := _show("sql", environment, _TEAMS):
        return code
    _where_next(archive)
    return Exit.DONE


def _make_room(archive: Path) -> None:
    """An empty place: an older demo goes, anything else is left alone."""
    mark = archive / ".demo"
    if archive.exists() and any(archive.iterdir()) and not mark.exists():
        raise BadInput(f"{archive} is there already and no demo made it: choose another with --archive DIR.")
    shutil.rmtree(archive, ignore_errors=True)
    archive.mkdir(parents=True)
    mark.touch()


@contextmanager
def _replica() -> Iterator[tuple[str, Mapping[str, str]]]:
    """A running replica: its address, and the variables that hold its key."""
    process = subprocess.Popen([sys.executable, "-m", "flows.cli", "replica"], stdout=subprocess.PIPE, text=True)
    try:
        yield _announced(process)
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def _announced(process: subprocess.Popen[str]) -> tuple[str, Mapping[str, str]]:
    """What the replica says of itself in its first line: `replica: http://… …, key ID SECRET`."""
    timer = threading.Timer(_READY_WITHIN, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
    finally:
        timer.cancel()
    words = line.split()
    if not words or words[0] != "replica:":
        raise BadInput("the replica did not start: run `seogo replica` to see why.")
    return words[1], {"NAVER_CLIENT_ID": words[-2], "NAVER_CLIENT_SECRET": words[-1]}


def _show(command: str, environment: Mapping[str, str], *arguments: str) -> int:
    """Run a command as a person would, the command line shown above what it prints."""
    out.print(f"$ seogo {shlex.join([command, *arguments])}", style="bold cyan", markup=False)
    sys.stdout.flush()
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "flows.cli", command, *arguments], env=dict(environment), check=False
    ).returncode


def _head(text: str, lines: int = 26) -> str:
    kept = text.splitlines()
    return "\n".join(kept[:lines]) + ("\n…" if len(kept) > lines else "")


def _topic() -> Path:
    """The demo's topic file, beside the one that ships."""
    from schemas.topic import default_topic_path

    return default_topic_path().with_name("demo.yaml")


def _where_next(archive: Path) -> None:
    out.rule("where to go next")
    out.print(f"[bold]seogo status --archive {archive}[/bold]     what it holds, how far each source was read")
    out.print(f"[bold]seogo verify --archive {archive}[/bold]     every file, row and capture against each other")
    out.print(f"[bold]duckdb -readonly {archive}/archive.duckdb[/bold]   any DuckDB client, at any time")
    out.print('README.md, "The real Naver": keys, robots.txt, and how to point seogo at it')
