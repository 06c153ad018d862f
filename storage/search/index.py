"""The search index: one SQLite file next to the snapshot, derived from the archive's texts alone.

    ft        FTS5's index of the tokens of title and text; it contains no text
    doc       one row per article: what a hit shows
    body      the text of an article, compressed, for snippets
    facet     one small row per article, to filter and to count by: time and kind
    kind      each publisher, status, teams and so on that occur together. A row is never changed or deleted
    meta      one row: how far the index has followed which archive

The first four share the key `n`: the second of publication times SLOTS, plus a number. So "newest first" is the order
of descending `n`, and a period is a range. Counting reads `facet` alone, which is a tenth of `doc`.

The view `source` derives the tokens from `doc` and `body` again. FTS5 reads it to delete the tokens of an article, and
to check its integrity.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveBusy, ArchiveError, SearchIndexDamaged, StorageFault
from storage.layout import SEARCH_INDEX, SNAPSHOT

VERSION = "3.1"
"""The version of the tables, and of the tokens in them: an index of another version is rebuilt.

Increase the first number with every change of the tables, the second with every change in `tokens.py`.
"""

SLOTS = 4096
"""The room for articles of one second; more of them are numbered into the seconds after it."""

WAIT = 10.0
"""Seconds to wait for another connection's lock. Readers only meet that of a checkpoint."""

_WAIT_FOR_READERS = 100
"""Milliseconds to wait for those that read, to empty the log. Otherwise the next writer does."""

_TABLES = """
CREATE TABLE doc (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, title TEXT NOT NULL, story TEXT
);
CREATE INDEX in_story ON doc (id, story) WHERE story IS NOT NULL;
CREATE TABLE body (n INTEGER PRIMARY KEY, text BLOB NOT NULL);
CREATE TABLE facet (n INTEGER PRIMARY KEY, published INTEGER, kind INTEGER NOT NULL);
CREATE TABLE kind (
    kind INTEGER PRIMARY KEY, publisher TEXT, status TEXT NOT NULL, gone INTEGER NOT NULL, on_topic INTEGER,
    teams TEXT NOT NULL, models TEXT NOT NULL
);
CREATE INDEX of_kind ON kind (publisher, status, gone, on_topic, teams, models);
CREATE TABLE meta (
    version TEXT NOT NULL, cursor INTEGER NOT NULL, run TEXT NOT NULL, snapshot TEXT NOT NULL,
    documents INTEGER NOT NULL
);
CREATE VIEW source AS
    SELECT n, tokens(title) AS title, tokens(unpacked(text)) AS body FROM doc JOIN body USING (n);
CREATE VIRTUAL TABLE ft USING fts5 (
    title, body, content = 'source', content_rowid = 'n', tokenize = "ascii tokenchars '_-'"
);
"""
# The tokens are letters and digits, and FTS5's tokenizer `ascii` takes every character beyond ASCII for a letter:
# unicode61 would split at letters that are younger than its Unicode 6.1.

_KIND = ("publisher", "status", "gone", "on_topic", "teams", "models")
_SAME_KIND = " AND ".join(f"{name} IS :{name}" for name in _KIND)


@dataclass(frozen=True, slots=True)
class Document:
    """An article as it is indexed.

    `published`: seconds since 1970, None if unknown. `on_topic` None: not determined. `teams`, `models`: as `packed`.
    """

    id: str
    revision: int
    title: str
    text: str
    publisher: str | None
    published: int | None
    status: str
    gone: bool
    on_topic: bool | None
    teams: str
    models: str


@dataclass(frozen=True, slots=True)
class Meta:
    """How far an index has followed its archive.

    `cursor`: the newest change that is indexed, 0 for none; `run`: the run of that change. `snapshot`: the stamp of the
    snapshot with which the index was up to date, empty if it was not. `documents`: the number of articles in it.
    """

    version: str = VERSION
    cursor: int = 0
    run: str = ""
    snapshot: str = ""
    documents: int = 0


def packed(names: Iterable[str]) -> str:
    """Names as one text, each between two line feeds."""
    return "\n{}\n".format("\n".join(names))


def stamp_of(root: Path) -> str:
    """Identifies a version of an archive's snapshot without opening it. Empty if there is none."""
    try:
        found = (root / SNAPSHOT).stat()
    except FileNotFoundError:
        return ""
    return stamp_text((found.st_ino, found.st_size, found.st_mtime_ns))


def stamp_text(stamp: tuple[int, int, int]) -> str:
    """A stamp as it is in the index: the number of a file, its size and time."""
    return " ".join(map(str, stamp))


@contextmanager
def index_faults(path: Path) -> Iterator[None]:
    """SQLite's errors as ours. Those that are not the fault of a file or a disk are left as they are."""
    try:
        yield
    except (zlib.error, UnicodeDecodeError) as error:
        raise SearchIndexDamaged(path, str(error)) from error
    except sqlite3.DatabaseError as error:
        fault = _fault(path, error)
        if fault is None:
            raise
        raise fault from error


_DAMAGE = {
    sqlite3.SQLITE_OK,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_FORMAT,
}
_OUR_MISTAKE = ("fts5: syntax error", "fts5: parser stack overflow")
"""The messages for a wrong expression. All other statements are fixed: if SQLite rejects one, the file is at fault."""
_DISK = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
    sqlite3.SQLITE_AUTH,
}


def _fault(path: Path, error: sqlite3.DatabaseError) -> ArchiveError | None:
    message, code = str(error), getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    if "no such module: fts5" in message:
        return StorageFault("search needs SQLite with FTS5, which this Python lacks: run seogo with another Python.")
    if message.startswith(_OUR_MISTAKE):
        return None
    if code & 0xFF in _DAMAGE or code == sqlite3.SQLITE_IOERR_SHORT_READ:
        return SearchIndexDamaged(path, message)
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ArchiveBusy(f"{path} is locked by another program. Try again.")
    if code & 0xFF in _DISK:
        return StorageFault(f"{path} cannot be read or written: {message}. Free space, or correct the permissions.")
    return None


def meta_of(connection: sqlite3.Connection, path: Path) -> Meta:
    """Its row of `meta`. Raises SearchIndexDamaged if that is of another version."""
    row = connection.execute("SELECT version, cursor, run, snapshot, documents FROM meta").fetchone()
    if row is None or row[0] != VERSION:
        raise SearchIndexDamaged(path, f"it is of version {row[0] if row else 'none'}, not {VERSION}")
    return Meta(*row)


def is_current(connection: sqlite3.Connection, root: Path) -> bool:
    """Whether the index is up to date with the snapshot of its archive."""
    stamp = stamp_of(root)
    return bool(stamp) and meta_of(connection, root / SEARCH_INDEX).snapshot == stamp


# -- writing


@contextmanager
def opened_to_write(root: Path) -> Iterator[Writer]:
    """The index of an archive, created if there is none. The caller holds the lock."""
    path = root / SEARCH_INDEX
    with index_faults(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=WAIT)
        try:
            writer = Writer(connection, path)
            writer.prepare()
            yield writer
            writer.empty_log()
        finally:
            connection.close()


def remove(root: Path) -> None:
    """Remove the index, so that it is rebuilt. Readers that have it open can still read it. Raises StorageFault."""
    for ending in ("", "-wal", "-shm"):
        path = root / f"{SEARCH_INDEX}{ending}"
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageFault(f"{path} cannot be removed: {error.strerror}.") from error


def _tokens(text: str) -> str:
    from storage.search.tokens import tokens  # takes long to import, and most runs index nothing

    return tokens(text)


class Writer:
    """An index that this process writes. `connection` has the functions that the view `source` needs."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self._path = path

    def prepare(self) -> None:
        """Configure the connection, and create the tables if there are none.

        A file without tables is also what a power cut leaves of an index that was being created.
        """
        execute = self.connection.execute
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        self.connection.create_function("tokens", 1, _tokens, deterministic=True)
        self.connection.create_function("unpacked", 1, unpacked, deterministic=True)
        if execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
            with self.transaction():
                for statement in _TABLES.split(";\n"):
                    execute(statement)
                self.set_meta(Meta())

    def empty_log(self) -> None:
        """Move the log into the file. When it is closed, SQLite does that only if no server has the index open."""
        if self.connection.total_changes:
            self.connection.execute(f"PRAGMA busy_timeout = {_WAIT_FOR_READERS}")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes in the block at once."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    @property
    def meta(self) -> Meta:
        """How far it has followed. Raises SearchIndexDamaged if it has another version."""
        return meta_of(self.connection, self._path)

    def set_meta(self, meta: Meta) -> None:
        """Record how far it has followed. `documents` is counted here."""
        self.connection.execute("DELETE FROM meta")
        values = (meta.version, meta.cursor, meta.run, meta.snapshot)
        self.connection.execute("INSERT INTO meta SELECT ?, ?, ?, ?, count(*) FROM doc", values)

    def replace(self, ids: Iterable[str], documents: Sequence[Document]) -> None:
        """Index these documents, and delete the articles with these ids that have no document."""
        new = {document.id: document for document in documents}
        indexed = self._indexed(ids)
        same = {id_ for id_, (n, *was) in indexed.items() if id_ in new and was == _text_and_time(new[id_])}
        # In the order of their numbers: FTS5 starts a new segment with each step back.
        for n in sorted(n for id_, (n, *_) in indexed.items() if id_ not in same):
            for table in ("ft", "doc", "body", "facet"):
                self.connection.execute(f"DELETE FROM {table} WHERE {'rowid' if table == 'ft' else 'n'} = ?", (n,))
        for document in sorted(documents, key=lambda one: (one.published or 0, one.id)):
            self._update(document) if document.id in same else self._insert(document)

    def _indexed(self, ids: Iterable[str]) -> dict[str, list[Any]]:
        query = (
            "SELECT n, title, unpacked(text), published FROM doc JOIN body USING (n) JOIN facet USING (n) WHERE id = ?"
        )
        found = ((id_, self.connection.execute(query, (id_,)).fetchone()) for id_ in ids)
        return {id_: list(row) for id_, row in found if row}

    def _update(self, document: Document) -> None:
        """Update all but text and time, which are the same."""
        execute = self.connection.execute
        execute("UPDATE doc SET revision = ? WHERE id = ?", (document.revision, document.id))
        values = (self._kind(document), document.id)
        execute("UPDATE facet SET kind = ? WHERE n = (SELECT n FROM doc WHERE id = ?)", values)

    def _insert(self, document: Document) -> None:
        n = self._free(document.published or 0)
        execute = self.connection.execute
        values = (n, document.id, document.revision, document.title)
        execute("INSERT INTO doc (n, id, revision, title) VALUES (?, ?, ?, ?)", values)
        execute("INSERT INTO body VALUES (?, ?)", (n, zlib.compress(document.text.encode())))
        execute("INSERT INTO facet VALUES (?, ?, ?)", (n, document.published, self._kind(document)))
        texts = (_tokens(document.title), _tokens(document.text))
        execute("INSERT INTO ft (rowid, title, body) VALUES (?, ?, ?)", (n, *texts))

    def _kind(self, document: Document) -> int:
        values = {name: getattr(document, name) for name in _KIND}
        row = self.connection.execute(f"SELECT kind FROM kind WHERE {_SAME_KIND}", values).fetchone()
        if row:
            return int(row[0])
        columns, named = ", ".join(_KIND), ", ".join(f":{name}" for name in _KIND)
        return self.connection.execute(f"INSERT INTO kind ({columns}) VALUES ({named})", values).lastrowid or 0

    def _free(self, second: int) -> int:
        """The first number that is free in this second, or else in a later one."""
        first = second * SLOTS
        query = "SELECT max(n) FROM doc WHERE n BETWEEN ? AND ?"
        while (last := self.connection.execute(query, (first, first + SLOTS - 1)).fetchone()[0]) == first + SLOTS - 1:
            first += SLOTS
        return first if last is None else last + 1

    def optimize(self) -> None:
        """Merge the parts of which FTS5's index consists into one, which halves the time of most searches.

        It takes a twentieth of the time of building the index, so it is worth it for a new one only.
        """
        self.connection.execute("INSERT INTO ft (ft) VALUES ('optimize')")

    def set_stories(self, ids: Iterable[str], stories: Mapping[str, str]) -> None:
        """Record which story each of these articles belongs to; those that `stories` lacks belong to none."""
        given = ((stories.get(id_), id_, stories.get(id_)) for id_ in ids)
        self.connection.executemany("UPDATE doc SET story = ? WHERE id = ? AND story IS NOT ?", given)

    def stories(self) -> dict[str, str]:
        """The story of each article that belongs to one."""
        return dict(self.connection.execute("SELECT id, story FROM doc WHERE story IS NOT NULL").fetchall())

    def document(self, id_: str) -> Document | None:
        """The article with this id, as it is indexed."""
        query = (
            "SELECT id, revision, title, unpacked(text), publisher, published, status, gone, on_topic, teams, models"
        )
        joined = "doc JOIN body USING (n) JOIN facet USING (n) JOIN kind USING (kind)"
        row = self.connection.execute(f"{query} FROM {joined} WHERE id = ?", (id_,)).fetchone()
        return Document(*row) if row else None

    def ids(self) -> Iterator[str]:
        """The ids of all articles that are indexed, in no order."""
        return (id_ for (id_,) in self.connection.execute("SELECT id FROM doc"))

    def check(self) -> None:
        """Raises SearchIndexDamaged if the file is damaged, or if the tokens are not those of its texts."""
        # The second one also compares the ids of `doc` with those of its index, through which an article is looked up.
        for check in ("quick_check(1)", "integrity_check(doc)"):
            (result,) = self.connection.execute(f"PRAGMA {check}").fetchone()
            if result != "ok":
                raise SearchIndexDamaged(self._path, result)
        self.connection.execute("INSERT INTO ft (ft, rank) VALUES ('integrity-check', 1)")


def unpacked(text: object) -> str:
    """A text in `body`. Raises zlib.error, UnicodeDecodeError."""
    if not isinstance(text, bytes):  # a flipped bit may make a number of it
        raise zlib.error("not a packed text")
    return zlib.decompress(text).decode()


def _text_and_time(document: Document) -> list[Any]:
    return [document.title, document.text, document.published]
