"""The search index follows the change feed: its cursor is committed with the documents.

A kill leaves an index that is behind, and the next follower goes on from there. An index that is not of this archive,
or not of its past, is built anew: the run of the change at its cursor is another, or there is no such change. So are
one of another version, one that SQLite finds damaged, and one that holds another number of articles than the archive.

What a change was is not asked: each article that changed is indexed as it is now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from schemas.errors import ArchiveBusy, ArchiveDamaged, SearchIndexDamaged, StorageFault
from storage import layout
from storage.reading.changes import newest
from storage.reading.reader import check_snapshot, open_snapshot, stories
from storage.search.index import Document, Mark, Writer, opened_to_write, remove, stamp_of

AT_ONCE = 2_000
"""Changes that are taken in together."""

OnProgress = Callable[[int, int], None]
"""Called with the changes that were taken in, and how many there are to take in."""

_CHANGED = "SELECT id, run_id, seq FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
_DOCUMENTS = """
    SELECT
        a.id, a.revision, coalesce(a.title, ''), concat_ws('\n\n', a.subtitle, coalesce(a.body, a.description, '')),
        a.publisher, CAST(floor(epoch(a.published_at)) AS BIGINT), a.status, f.gone_at IS NOT NULL, {on_topic},
        concat('\n', array_to_string(coalesce(a.teams, []), '\n'), '\n')
    FROM articles a LEFT JOIN frontier f USING (id) {which}
"""


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of it: how many changes were taken in, and why the index was built anew, if it was."""

    changes: int
    anew: str = ""


def unheard(done: int, total: int) -> None:
    """Progress that nobody listens to."""


def follow(root: Path, *, on_progress: OnProgress = unheard, wait: float = 0.0) -> Followed:
    """Bring the search index of an archive up to date with its snapshot. Waits `wait` seconds for another follower.

    Raises ArchiveBusy where another process is about it, StorageFault where this one may not write there,
    ArchiveDamaged where feed and articles of the snapshot contradict each other.
    """
    with alone(root, wait=wait):
        try:
            return _follow(root, on_progress)
        except SearchIndexDamaged as damage:
            remove(root)
            return replace(_follow(root, on_progress), anew=damage.reason)


def build_anew(root: Path, *, on_progress: OnProgress = unheard, wait: float = 0.0) -> Followed:
    """Build the index from nothing, whatever is there. Raises as `follow`."""
    with alone(root, wait=wait):
        remove(root)
        return _follow(root, on_progress)


def behind(root: Path, cursor: int) -> int:
    """How many changes of the snapshot an index has not taken in that has followed up to `cursor`."""
    with open_snapshot(root) as archive:
        newest(archive)
        row = archive.execute("SELECT count(*) FROM events WHERE seq > ?", [cursor]).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def alone(root: Path, *, wait: float) -> Iterator[None]:
    """Nobody else writes the index of this archive in the block. Raises ArchiveBusy, StorageFault; BadInput."""
    check_snapshot(root)
    lock = FileLock(root / layout.SEARCH_LOCK, timeout=wait)
    try:
        lock.acquire()
    except Timeout as error:
        raise ArchiveBusy("another process is bringing the search index up to date. Try again.") from error
    except OSError as error:
        raise StorageFault(f"{root / layout.SEARCH_LOCK} cannot be written: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


def _follow(root: Path, on_progress: OnProgress) -> Followed:
    stamp = stamp_of(root)  # before the snapshot is opened: if it is replaced just now, the next one looks again
    with open_snapshot(root) as archive, opened_to_write(root) as index:
        began = index.mark
        check_origin(root, archive, began)
        total, done = _count(archive, began.cursor), 0
        while events := archive.execute(_CHANGED, [index.mark.cursor, AT_ONCE]).fetchall():
            ids = list(dict.fromkeys(id_ for id_, _, _ in events))
            _, run, cursor = events[-1]
            with index.transaction():
                index.replace(ids, list(documents(archive, ids)))
                index.set_mark(Mark(cursor=cursor, run=run))
            done += len(events)
            on_progress(done, total)
        _check_number(root, archive, index.mark, is_new=not began.cursor)
        _note_end(archive, index, stamp)
    return Followed(total)


def check_origin(root: Path, archive: duckdb.DuckDBPyConnection, mark: Mark) -> None:
    """Raises SearchIndexDamaged for an index of another archive, or of one that went on otherwise from a copy."""
    newest(archive)
    if not mark.cursor:
        return
    row = archive.execute("SELECT run_id FROM events WHERE seq = ?", [mark.cursor]).fetchone()
    if row is None or row[0] != mark.run:
        reason = "is not known to the archive" if row is None else "is another in the archive"
        raise SearchIndexDamaged(
            root / layout.SEARCH_INDEX, f"the change {mark.cursor}, up to which it follows, {reason}"
        )


def _check_number(root: Path, archive: duckdb.DuckDBPyConnection, mark: Mark, *, is_new: bool) -> None:
    """An index that holds another number of articles than the archive is wrong; a new one cannot be."""
    articles = _one(archive, "SELECT count(*) FROM articles")
    if articles == mark.documents:
        return
    said = f"it holds {mark.documents:,} articles, and the archive {articles:,}"
    if is_new:
        raise ArchiveDamaged(f"{root / layout.SEARCH_INDEX} cannot follow the change feed: {said}. Run: seogo repair")
    raise SearchIndexDamaged(root / layout.SEARCH_INDEX, said)


def _note_end(archive: duckdb.DuckDBPyConnection, index: Writer, stamp: str) -> None:
    """What is read once for all articles, and the sign that the index is up to date."""
    if index.mark.snapshot != stamp:
        with index.transaction():
            index.set_stories(stories(archive))
            index.set_mark(replace(index.mark, snapshot=stamp))


def documents(archive: duckdb.DuckDBPyConnection, ids: list[str] | None = None) -> Iterator[Document]:
    """The articles with these ids, or all of them, as they are indexed."""
    which = "" if ids is None else _chosen(archive, ids)
    # A column that an archive from before it lacks.
    knows = _one(
        archive, "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'articles' AND column_name = 'on_topic'"
    )
    query = _DOCUMENTS.format(on_topic="a.on_topic" if knows else "CAST(NULL AS BOOLEAN)", which=which)
    cursor = archive.execute(query)
    while rows := cursor.fetchmany(1_000):
        yield from (Document(*row) for row in rows)


def _chosen(archive: duckdb.DuckDBPyConnection, ids: list[str]) -> str:
    """These articles, as an end of a query.

    Articles that were stored together lie together. With their range, DuckDB reads their texts and not those of the
    whole archive: building an index would take quadratic time.
    """
    archive.register("wanted", pa.table({"id": pa.array(ids, pa.string())}))
    row = archive.execute("SELECT min(rowid), max(rowid) FROM articles SEMI JOIN wanted USING (id)").fetchone()
    first, last = row if row and row[0] is not None else (0, -1)
    return f"SEMI JOIN wanted USING (id) WHERE a.rowid BETWEEN {first} AND {last}"


def _count(archive: duckdb.DuckDBPyConnection, cursor: int) -> int:
    return _one(archive, "SELECT count(*) FROM events WHERE seq > ?", [cursor])


def _one(archive: duckdb.DuckDBPyConnection, query: str, values: list[int] | None = None) -> int:
    row = archive.execute(query, values or []).fetchone()
    return int(row[0]) if row else 0
