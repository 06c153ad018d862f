"""`seogo demo`: everything once, against the replica, by the commands that a user would type."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from flows.cli.exit_codes import Exit
from flows.cli.show.terminal import out
from flows.replica.corpus.articles import make_corpus
from flows.replica.corpus.plan import Shares
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica
from schemas.errors import BadInput, StorageFault
from schemas.topic import default_topic_path

_TEAMS = (
    "SELECT team, count(*) AS articles, count(DISTINCT publisher) AS publishers"
    " FROM (SELECT unnest(teams) AS team, publisher FROM articles_on_topic) GROUP BY team ORDER BY articles DESC"
)
_STORIES = (
    "SELECT first_id, title, articles, publishers, last_at - first_at AS within FROM stories"
    " ORDER BY articles DESC, first_at DESC LIMIT 5"
)


def run_demo(archive: Path) -> int:
    """Run the demo in a new archive; returns an exit code. Raises BadInput if the directory is not a demo's."""
    _make_room(archive)
    # The replica runs in this process, and so ends with the demo.
    with Replica(make_corpus(seed=1, last=datetime.now(UTC), shares=Shares(rewritten=0.4)), pace=1.0) as naver:
        environment = _environment(naver, archive)
        out.rule("1. crawl the last days of a made-up Naver")
        if code := _show("crawl", environment):
            return code
        out.rule("2. crawl again: nothing new")
        if code := _show("crawl", environment):
            return code
    out.rule("3. the file of an article")
    newest = max((archive / "articles").rglob("*.md"))
    out.print(str(newest), style="dim", markup=False)
    out.print(_head(newest.read_bytes().decode()), markup=False)
    out.rule("4. a question in SQL: who is written about?")
    if code := _show("sql", environment, _TEAMS):
        return code
    out.rule("5. who wrote it first, and who copied it?")
    if code := _show("sql", environment, _STORIES):
        return code
    out.rule("6. a search")
    if code := _show("search", environment, "소버린AI 공개", "--limit", "3"):
        return code
    _where_next(archive)
    return Exit.DONE


def _make_room(archive: Path) -> None:
    """An empty directory. An older demo is removed, anything else is left alone."""
    mark = archive / ".demo"
    ours = mark.is_file() or not archive.exists() or (archive.is_dir() and not any(archive.iterdir()))
    if not ours:
        raise BadInput(f"{archive} exists and was not made by a demo: choose another with --archive DIR.")
    try:
        if archive.exists():
            shutil.rmtree(archive)
        archive.mkdir(parents=True)
        mark.touch()
    except OSError as error:
        raise StorageFault(
            f"{archive} cannot be created: {error.strerror}. Choose another with --archive DIR."
        ) from error


def _environment(naver: Replica, archive: Path) -> Mapping[str, str]:
    """What a user would set: the address of Naver, the key, the topic, the archive."""
    return {
        **os.environ,
        "SEOGO_NAVER": naver.url,
        "SEOGO_TOPIC": str(default_topic_path().with_name("demo.yaml")),
        "SEOGO_ARCHIVE": str(archive),
        "NAVER_CLIENT_ID": CLIENT_ID,
        "NAVER_CLIENT_SECRET": CLIENT_SECRET,
    }


def _show(command: str, environment: Mapping[str, str], *arguments: str) -> int:
    """Print a command line, and run it."""
    out.print(f"$ seogo {shlex.join([command, *arguments])}", style="bold cyan", markup=False)
    sys.stdout.flush()
    # -P: a directory `flows` in the current directory must not be imported.
    words = [sys.executable, "-P", "-m", "flows.cli", command, *arguments]
    return subprocess.run(words, env=dict(environment), check=False).returncode  # noqa: S603


def _head(text: str, lines: int = 26) -> str:
    kept = text.splitlines()
    return "\n".join(kept[:lines]) + ("\n…" if len(kept) > lines else "")


def _where_next(archive: Path) -> None:
    out.rule("where to go next")
    seogo, of = _typed(), f"--archive {shlex.quote(str(archive))}"
    for command, what in (
        (f"{seogo} status {of}", "what it holds, how far each source was read"),
        (f"{seogo} story ID {of}", "a story (ID: a first_id above): who had it when, what each copy shares"),
        (f"{seogo} verify {of}", "files, rows and captures checked against each other"),
        (f"duckdb -readonly {shlex.quote(f'{archive}/archive.duckdb')}", "any DuckDB client, at any time"),
        ('README.md, "The real Naver"', "keys, robots.txt, and how to point seogo at it"),
        (f"{seogo} serve {of}", "read it in a browser"),
    ):
        out.print(Text.assemble((command, "bold"), f"\n    {what}"))


def _typed() -> str:
    """The command as it can be typed here: after `make demo`, `seogo` is not on the path."""
    here = Path(sys.argv[0])
    return str(here) if here.name == "seogo" and not shutil.which("seogo") else "seogo"
