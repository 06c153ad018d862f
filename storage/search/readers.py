"""Connections that read the search index of an archive, whatever is written meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from schemas.errors import SearchIndexDamaged
from storage.layout import SEARCH_INDEX
from storage.search.index import WAIT, index_faults, meta_of

Stamp = tuple[int, int, int]


@contextmanager
def opened_to_read(root: Path) -> Iterator[sqlite3.Connection]:
    """The index of an archive as it is now, whatever is written meanwhile.

    Raises SearchIndexDamaged also if there is none, or if it has another version.
    """
    with closing(Readers(root)) as readers, readers.reading() as connection:
        yield connection


class Readers:
    """Connections to the index of an archive that stay open, with the schema and the pages that they have read.

    Threads may use it at the same time, each with a connection of its own.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / SEARCH_INDEX
        self._idle: list[tuple[Stamp, sqlite3.Connection]] = []

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The index as it is now. Raises as `opened_to_read`."""
        with index_faults(self._path):
            stamp, connection = self._pinned()
            try:
                yield connection
                connection.rollback()
            except BaseException:
                connection.close()
                raise
            self._idle.append((stamp, connection))

    def close(self) -> None:
        """Close those that nobody uses."""
        while self._idle:
            self._idle.pop()[1].close()

    def _pinned(self) -> tuple[Stamp, sqlite3.Connection]:
        """A connection that reads one state of one file, even if the file is replaced at this moment."""
        while True:
            before = _stamp(self._path)
            connection = self._kept(before) or _connected(self._path)
            try:
                connection.execute("BEGIN")
                meta_of(connection, self._path)
            except BaseException:
                connection.close()
                raise
            if _stamp(self._path)[0] == before[0]:
                return before, connection
            connection.close()

    def _kept(self, stamp: Stamp) -> sqlite3.Connection | None:
        """An idle connection to the same file; others are closed."""
        while True:
            try:
                opened, connection = self._idle.pop()
            except IndexError:
                return None
            if opened == stamp:
                return connection
            connection.close()


def _stamp(path: Path) -> Stamp:
    """What tells a file from another one: its number, size and time. The log beside it does not count."""
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise SearchIndexDamaged(path, "it does not exist") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _connected(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=WAIT, check_same_thread=False)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        log = path.with_name(f"{path.name}-wal")
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or log.exists():
            raise
        # SQLite wants to create a file beside it, and this process may not. There is no log, so nobody writes.
        address = f"{address}&immutable=1"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    return connection
