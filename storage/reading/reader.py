"""Reading the archive: only the snapshot, only to read. Any number of processes may, also while a crawl writes."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import ArchiveDamaged, BadInput, QueryError
from storage.layout import LAST_RUN, check_path
from storage.state import held_segments, json_file, uploads

_AGAIN_AFTER = 0.05
"""Seconds between two interrupts of a query that was asked to end."""

_COVERAGE_SINCE = 3
"""The schema version that brought the coverage ledger."""

_ON_TOPIC_SINCE = 7
"""The schema version that brought `articles.on_topic`."""

SHOWN = [
    *("id", "oid", "aid", "url", "title", "subtitle", "body", "publisher", "authors", "categories"),
    *("published_at", "modified_at", "crawled_at", "original_url", "images", "kind", "content_hash", "text_hash"),
    "parser",
]
"""The fields of an article as `seogo parse --json` prints them, and `seogo show --json` first."""

HELD = ["status", "revision", "revision_kind", "gone_at", "relevance", "on_topic", "reasons", "teams", "models", "file"]
"""What `seogo show --json` adds for an article that the archive holds."""


def check_snapshot(archive: Path) -> Path:
    """The path of the readers' database. Raises BadInput where there is none, ArchiveDamaged where it is no more."""
    check_path(archive)
    path = archive / "archive.duckdb"
    if path.is_file():
        return path
    if (archive / "captures").is_dir():
        raise ArchiveDamaged(f"{path} does not exist, although there are captures. Run: seogo repair")
    raise BadInput(
        f"{path} does not exist: there is no archive there. Name another with --archive DIR or SEOGO_ARCHIVE,"
        " or crawl or import first."
    )


@contextmanager
def open_snapshot(archive: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The readers' database of an archive. Raises BadInput where there is none, ArchiveDamaged where it is no more."""
    path = check_snapshot(archive)
    connection = _connect(path)
    try:
        with _interruptible(connection):
            yield connection
    finally:
        connection.interrupt()  # a query that was left in the middle
        connection.close()


@contextmanager
def _interruptible(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Inside the block, Ctrl-C ends a query. While DuckDB is working, Python itself receives no signal."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are not for this thread
        return
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    before = signal.set_wakeup_fd(ours.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_interrupt_on_sigint, args=(connection, theirs), name="interrupt", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        ours.close()
        watcher.join()


def _interrupt_on_sigint(connection: duckdb.DuckDBPyConnection, signals: socket.socket) -> None:
    """Interrupt the query once SIGINT arrives, repeatedly: the next call may begin after it. Ends with the
    other end of the socket."""
    with signals:
        while number := signals.recv(1):
            if number[0] == signal.SIGINT:
                signals.settimeout(_AGAIN_AFTER)
                break
        while number:
            connection.interrupt()
            try:
                number = signals.recv(1)
            except TimeoutError:
                continue


def run_query(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The names of the result's columns, and its rows, read as they are asked for. Raises QueryError.

    Several statements are run in order; only the last may have rows to show.
    """
    with refusals("DuckDB refuses the query"), _with_schema_age(connection):
        statements = connection.extract_statements(encodable(sql))
        check_one_result(statements)
        for statement in statements:
            connection.execute(statement)
    return [column[0] for column in connection.description or ()], _rows(connection)


@contextmanager
def _with_schema_age(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A table that is not there may be one that the archive has not got yet."""
    try:
        yield
    except duckdb.CatalogException as error:
        from storage.reading.schema import OLDER, is_older  # reading alone does without pyarrow

        if is_older(connection):
            raise QueryError(f"{error}. The archive was {OLDER}") from error
        raise


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """DuckDB's errors as ours. An interrupted query is no error: it is Ctrl-C, under two names."""
    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise QueryError(f"{what}: {error}{_hint(error)}") from error


def _hint(error: duckdb.Error) -> str:
    return ". Settings are fixed here, external access among them." if "has been locked" in str(error) else ""


def encodable(sql: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in sql):
        raise QueryError("the query is not UTF-8: write it in UTF-8.")
    return sql


def check_one_result(statements: list[duckdb.Statement]) -> None:
    """Rows that nobody sees would be a silent loss."""
    if not statements:
        raise QueryError("the query is empty: ask something, such as SELECT count(*) FROM articles.")
    if any(statement.type is duckdb.StatementType.SELECT for statement in statements[:-1]):
        raise QueryError(f"{len(statements)} statements, and not only the last has rows to show: ask one at a time.")


def _rows(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while True:
        with refusals("DuckDB stopped in the middle of the query"):
            rows = cursor.fetchmany(1000)
        if not rows:
            return
        yield from rows


def status(connection: duckdb.DuckDBPyConnection, archive: Path) -> dict[str, Any]:
    """What the archive holds, how far each source was read, and the receipt of the newest run that ended."""
    return {
        "archive": str(archive),
        "as_of": datetime.fromtimestamp((archive / "archive.duckdb").stat().st_mtime, UTC),
        "articles": _counts(connection, "SELECT status, count(*) FROM articles GROUP BY ALL ORDER BY ALL"),
        "on_topic": _on_topic(connection),
        "revisions": _counts(connection, "SELECT revision_kind, count(*) FROM revisions GROUP BY ALL ORDER BY ALL"),
        "duplicates": _counts(connection, "SELECT 'all', count(*) FROM duplicates")["all"],
        "newest_article": _one(connection, "SELECT max(published_at) FROM articles"),
        **_unfinished(connection),
        "waiting": _counts(connection, "SELECT state, count(*) FROM frontier WHERE due_at IS NOT NULL GROUP BY ALL"),
        "sources": _counts(connection, "SELECT source, watermark FROM cursors ORDER BY source"),
        "runs": _one(connection, "SELECT count(*) FROM runs"),
        "last_run": _last_run(archive),
        "captures": _captures(archive),
        "held_segments": _held_segments(archive),
    }


def _unfinished(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What is unfinished: gaps, pages in quarantine, articles that are due for a refresh."""
    if _one(connection, "SELECT max(version) FROM schema_version") < _COVERAGE_SINCE:
        return {"gaps": [], "quarantined": 0, "to_refresh": 0}  # written by an older seogo; the next run migrates it
    return {
        "gaps": _gaps(connection),
        "quarantined": _one(connection, "SELECT count(*) FROM quarantine"),
        "to_refresh": _one(connection, "SELECT count(*) FROM frontier WHERE refresh_at <= now()"),
    }


def _on_topic(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Articles by `on_topic`: yes, no, unknown."""
    if _one(connection, "SELECT max(version) FROM schema_version") < _ON_TOPIC_SINCE:
        return {}
    named = "CASE WHEN on_topic THEN 'yes' WHEN NOT on_topic THEN 'no' ELSE 'unknown' END"
    return _counts(connection, f"SELECT {named}, count(*) FROM articles GROUP BY ALL ORDER BY 1 DESC")


def _gaps(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What was asked of the sources and not read, newest first."""
    cursor = connection.execute(
        "SELECT source, since, until, reason FROM coverage WHERE state = 'gap' ORDER BY since DESC, source"
    )
    return [dict(zip(("source", "since", "until", "reason"), row, strict=True)) for row in cursor.fetchall()]


def _counts(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    return dict(connection.execute(sql).fetchall())


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None


def _captures(archive: Path) -> dict[str, Any] | None:
    """What waits to be uploaded to the object store of the captures; None without a store."""
    try:
        found = uploads.last(archive)
    except ArchiveDamaged as error:
        return {"address": "unknown", "waiting": 0, "bytes": 0, "since": None, "fault": str(error)}
    return asdict(found) if found else None


def _held_segments(archive: Path) -> dict[str, str]:
    """Why the segments of fetchers wait, by fetcher."""
    try:
        return held_segments.last(archive)
    except ArchiveDamaged as error:
        return {"unknown": f"{error}. The next `seogo take-in` writes it again."}


def _last_run(archive: Path) -> dict[str, Any] | None:
    try:
        return json_file.load(archive / LAST_RUN, _receipt)
    except ArchiveDamaged as error:
        raise ArchiveDamaged(f"{error}. The next run writes it again.") from error


def _receipt(value: Any) -> dict[str, Any]:
    """A receipt with all that `seogo status` shows of it."""
    for name in ("command", "exit_reason", "explanation"):
        if not isinstance(value[name], str):
            raise TypeError(f"{name} is no text")
    datetime.fromisoformat(value["started_at"]).astimezone(UTC)
    return {**value}


def article(connection: duckdb.DuckDBPyConnection, article_id: str) -> dict[str, Any] | None:
    """The row of `articles` under an id, by column; and since when the article is known to be deleted."""
    sql = "SELECT a.*, f.gone_at FROM articles a LEFT JOIN frontier f USING (id) WHERE id = ?"
    cursor = connection.execute(sql, [article_id])
    names = [column[0] for column in cursor.description or ()]
    row = cursor.fetchone()
    return dict(zip(names, row, strict=True)) if row else None


def newest_change(connection: duckdb.DuckDBPyConnection) -> int:
    """The cursor after all changes; 0 if nothing has happened yet. Raises BadInput where there is no change feed."""
    try:
        return int(_one(connection, "SELECT coalesce(max(seq), 0) FROM events"))
    except duckdb.CatalogException as error:
        raise BadInput("the archive is from before there was a change feed. Run `seogo repair` once.") from error


def stories(connection: duckdb.DuckDBPyConnection, ids: Sequence[str] | None = None) -> dict[str, str]:
    """The story of each article, or of each of these, that belongs to one. Empty where the archive has no stories."""
    if not _one(connection, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'story_members'"):
        return {}
    query = "SELECT id, story FROM story_members"
    if ids is None:
        return _counts(connection, query)
    of_these = f"{query} WHERE id IN (SELECT unnest(?::VARCHAR[]))"
    return dict(connection.execute(of_these, [list(ids)]).fetchall())


def duplicate_of(connection: duckdb.DuckDBPyConnection, article_id: str) -> str | None:
    """The id of the article that another is a copy of."""
    row = connection.execute("SELECT duplicate_of FROM duplicates WHERE id = ?", [article_id]).fetchone()
    return str(row[0]) if row else None


def last_find(connection: duckdb.DuckDBPyConnection, article_id: str) -> tuple[str, str] | None:
    """Outcome and reason of the newest find of a key that said something new of it."""
    # Later runs only say that the key is known: what they know of it was said before.
    row = connection.execute(
        "SELECT outcome, reason FROM finds WHERE id = ?"
        " ORDER BY outcome = 'unchanged', run_id DESC, seen_at DESC LIMIT 1",
        [article_id],
    ).fetchone()
    return (str(row[0]), str(row[1])) if row else None


_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "TimeZone": "Asia/Seoul",
    # A query reads the archive's tables: no other file, no network, no variable of this program, no stored secret.
    "enable_external_access": False,
    "python_enable_replacements": False,
    "allow_persistent_secrets": False,
    # A crawl shares memory and disk with its readers: a query that wants more ends, and writes nothing aside.
    "memory_limit": "50%",
    "temp_directory": "",
    # None of these can be set again; the one that may be is each connection's own.
    "lock_configuration": True,
    "allowed_configs": ["enable_progress_bar"],
}


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path), read_only=True, config=_SETTINGS)
        connection.execute("SET enable_progress_bar = false")  # it would print between the rows
    except duckdb.Error as error:
        raise ArchiveDamaged(
            f"{path} cannot be opened: {error}. It is a copy: `seogo repair` creates it again."
        ) from error
    return connection
