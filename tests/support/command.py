"""Runs the command `seogo` in tests: in this process, or in its own process where that matters."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from flows.cli.app import main
from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica
from tests.support.paths import ROOT

NNEWS = "n.news.naver.com"
COMMAND = (sys.executable, "-P", "-m", "flows.cli")

_OURS = ("SEOGO_", "NAVER_", "PREFECT_", "COLUMNS", "FORCE_COLOR", "TTY_")


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The single line on standard error, which begins with `seogo: `. Fails if there is anything else."""
        assert "Traceback" not in self.err, self.err
        (line,) = self.err.splitlines()
        if line.startswith("{"):  # an error as JSON
            line = f"seogo: {json.loads(line)['error']['message']}"
        assert line.startswith("seogo: "), line
        return line


def environment(**given: str | Path) -> dict[str, str]:
    """The environment without the variables that seogo reads, and with the given ones. Never the real Naver."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    kept |= {"PYTHONPATH": str(ROOT), "SEOGO_NAVER": "http://127.0.0.1:9"}
    return kept | {name: str(value) for name, value in given.items()}


def seogo(*words: str | Path, stdin: bytes = b"", env: Mapping[str, str | Path] | None = None) -> Ran:
    """Run a command in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with (
        mock.patch.dict(os.environ, environment(**(env or {})), clear=True),
        mock.patch.object(sys, "argv", ["seogo", *map(str, words)]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8")),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = _code_of_main()
    return Ran(code, _written(out), _written(err))


def _code_of_main() -> int:
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    raise AssertionError("main() came back without an exit code")


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode("utf-8", "surrogateescape")


def process(*words: str | Path, env: Mapping[str, str | Path] | None = None, stdin: bytes = b"") -> Ran:
    """Run a command in its own process, and wait for its end."""
    command = [*COMMAND, *map(str, words)]
    done = subprocess.run(
        command, env=environment(**(env or {})), input=stdin, capture_output=True, timeout=60, check=False
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def without_progress(err: str) -> str:
    """What a crawl printed on standard error, without the progress lines that it prints on a slow machine."""
    return "".join(line for line in err.splitlines(keepends=True) if not line.startswith("crawl: "))


def start(*words: str | Path, env: Mapping[str, str | Path] | None = None) -> subprocess.Popen[str]:
    """Start a command in its own process."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        env=environment(**(env or {})),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def ending(running: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Kill a process at the end of a block."""
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def small_corpus() -> Corpus:
    """A few days up to now, because the command line uses the real clock."""
    return make_corpus(7, articles=170, presses=6, days=6, last=datetime.now(UTC))


def crawling(naver: Replica, archive: Path, topic: Path = ROOT / "topics" / "demo.yaml") -> dict[str, str | Path]:
    """The environment variables for crawling the replica."""
    return {
        "SEOGO_NAVER": naver.url,
        "SEOGO_ARCHIVE": archive,
        "SEOGO_TOPIC": topic,
        "NAVER_CLIENT_ID": CLIENT_ID,
        "NAVER_CLIENT_SECRET": CLIENT_SECRET,
    }


def hasty_topic(folder: Path, **limits: object) -> Path:
    """A topic file like the demo's, without throttling and with short waits."""
    settings: dict[str, object] = {"requests_per_second": 0, "concurrency": 16, "tries": 2, "backoff_seconds": 0.01}
    settings |= {"max_backoff_seconds": 0.05, "patience_seconds": 2, **limits}
    lines = [f"  {name}: {value}" for name, value in settings.items()]
    path = folder / "hasty.yaml"
    path.write_text("\n".join([f"extends: {ROOT / 'topics' / 'demo.yaml'}", "limits:", *lines, ""]), "utf-8")
    return path


def query(archive: Path, sql: str) -> list[dict[str, Any]]:
    """The rows of a query, by `seogo sql`."""
    ran = seogo("sql", sql, "--format", "json", "--archive", archive)
    assert ran.code == 0, ran.err
    rows: list[dict[str, Any]] = ran.json
    return rows
