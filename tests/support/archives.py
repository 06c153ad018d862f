"""Small archives for tests: runs that store given results, runs that are killed, and the content of an archive."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb

from schemas.article import Article
from schemas.find import FindResult
from schemas.front_matter import dumps, from_article
from schemas.page import CaptureRef
from schemas.receipt import Receipt
from schemas.topic import default_topic_path, load_topic
from storage.archive import Archive, open_archive
from storage.layout import SNAPSHOT
from storage.reading.reader import open_snapshot, run_query
from tests.support.paths import ROOT
from tests.support.values import NOW, article, ended, key, page, receipt, stored

TABLES = (
    *("articles", "superseded", "duplicates", "frontier", "finds", "runs", "requests", "cursors"),
    *("coverage", "quarantine", "events", "near_duplicates", "story_members", "segments"),
)
CRAWLED = datetime(2025, 12, 30, 8, 23, 53, tzinfo=UTC)


_one_reader = threading.Lock()


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    atexit.register(_instance.cache_clear)  # before the interpreter looks for leaks
    return duckdb.connect(":memory:").execute("SET TimeZone = 'Asia/Seoul'")


@contextmanager
def reading(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The snapshot of an archive, attached to one instance of DuckDB: to start another takes ten times as long."""
    file = str(root / SNAPSHOT).replace("'", "''")
    with _one_reader:
        _instance().execute(f"ATTACH '{file}' AS archive (READ_ONLY)")
        try:
            yield _instance().execute("USE archive")
        finally:
            _instance().execute("USE memory").execute("DETACH archive")


def rows(root: Path, sql: str) -> list[tuple[object, ...]]:
    with reading(root) as connection:
        return list(run_query(connection, sql)[1])


def ids(root: Path, sql: str = "SELECT id FROM articles") -> set[str]:
    return {str(row[0]) for row in rows(root, sql)}


def archived_ids(root: Path) -> set[str]:
    """All ids whose text the archive contains, as an article or as a copy."""
    return ids(root, "SELECT id FROM articles UNION SELECT id FROM duplicates")


def store_new(archive: Archive, *numbers: int, run: str = "20260102T030405Z-0001") -> None:
    account = receipt(run)
    archive.start_run(account)
    results = []
    for number in numbers:
        capture = archive.capture(page(key(number).url))
        results.append(stored(article(number), capture=capture))
    archive.store(account.run_id, results)
    archive.finish_run(ended(account), {"search_api:독자 모델": NOW}, [])


def new_archive(root: Path, *numbers: int) -> Path:
    """An archive with one run that stored these articles."""
    with open_archive(root) as archive:
        store_new(archive, *numbers)
    return root


def store_results(archive: Archive, *results: FindResult, run: str = "20260102T040405Z-0002") -> None:
    """A run that stores these results, each in a separate batch."""
    account = receipt(run)
    archive.start_run(account)
    for result in results:
        archive.store(run, [result])
    archive.finish_run(ended(account), {}, [])


def killed(root: Path, at: str) -> None:
    """Run a process that stores article 2 and is killed by `at`: statements that are executed before the run stores."""
    code = f"""
import os, signal
from pathlib import Path
import storage.archive as module
from tests.support.archives import store_new
def kill(*_, **__):
    signal.raise_signal(signal.SIGKILL)
with module.open_archive(Path({str(root)!r})) as archive:
    start = archive.start_run
    def start_run(account):
        start(account)
        {at}
    if {at!r}.startswith(("archive._writer", "archive._db")):
        archive.start_run = start_run
    else:
        {at}
    store_new(archive, 2, run="20260102T040405Z-0002")
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60, env=environment
    )
    assert process.returncode == -signal.SIGKILL, process.stderr


def contents(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, and all files."""
    found: dict[str, list[tuple[object, ...]]]
    with reading(root) as connection:
        found = {table: sorted(run_query(connection, f"SELECT * FROM {table}")[1], key=repr) for table in TABLES}
    found["files"] = [
        (p.relative_to(root).as_posix(), p.read_bytes()) for p in sorted((root / "articles").rglob("*.md"))
    ]
    return found


def spooled(root: Path) -> list[str]:
    """The WARC files in the archive's directory."""
    return sorted(path.relative_to(root).as_posix() for path in (root / "captures").rglob("*.warc.gz"))


def refs_of(root: Path) -> dict[int, CaptureRef]:
    """The captures of the articles, by the number with which `store_new` made them."""
    sql = "SELECT id, capture_file, capture_offset, capture_length FROM articles WHERE capture_file IS NOT NULL"
    numbers = {key(number).id: number for number in range(1, 10)}
    with open_snapshot(root) as connection:
        found = run_query(connection, sql)[1]
        return {numbers[id_]: CaptureRef(name, offset, length) for id_, name, offset, length in found}


def write_document(folder: Path, of: Article, name: str | None = None) -> Path:
    """Write an article as a file of an existing archive."""
    path = folder / (name or f"{of.id}.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dumps(from_article(of, CRAWLED)).encode())
    return path


def import_documents(archive: Path, *paths: Path) -> Receipt:
    from flows.runs.import_files import ImportOrder, import_files  # `killed` does without the half second that it takes

    return import_files(ImportOrder(load_topic(default_topic_path()), archive, paths))


def flip(file: Path, position: int) -> None:
    data = bytearray(file.read_bytes())
    data[position] ^= 0x01
    file.write_bytes(data)
