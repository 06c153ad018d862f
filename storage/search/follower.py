"""The search index follows the change feed: its cursor is committed with the documents.

After a kill the index is behind, and the next follower continues. Whatever a change was, the article is indexed as it
is now.

The index is rebuilt if it has another version, if SQLite finds it damaged, if it has another number of articles than
the archive, or if the change at its cursor does not exist or belongs to another run: then it is the index of another
archive, or newer than an archive that was restored from a backup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from schemas.counted import counted
from schemas.errors import ArchiveBusy, ArchiveDamaged, SearchIndexDamaged, StorageFault
from storage import layout
from storage.reading.reader import check_snapshot, newest_change, open_snapshot, stories
from storage.search.index import Document, Meta, Writer, is_current, opened_to_write, remove, stamp_of
from storage.search.readers import opened_to_read

AT_ONCE = 2_000
"""Changes per transaction."""

OnProgress = Callable[[int, int], None]
"""Called with the number of changes that are indexed, and the number that are to be indexed."""

_CHANGED = "SELECT id, run_id, seq, kind FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
_OF_STORIES = "story"
"""The kind of the changes that leave an article as it is, except for its story."""

_DOCUMENTS = """
    SELECT
        a.id, a.revision, coalesce(a.title, ''), coalesce(a.body, a.description, ''),
        a.publisher, CAST(floor(epoch(a.published_at)) AS BIGINT), a.status, g.id IS NOT NULL, {on_topic},
        concat('\n', array_to_string(coalesce(a.teams, []), '\n'), '\n'),
        concat('\n', array_to_string({models}, '\n'), '\n')
    FROM articles a LEFT JOIN (SELECT id FROM frontier WHERE gone_at IS NOT NULL) g USING (id) {which}
"""


_COLUMNS = "SELECT column_name FROM duckdb_columns() WHERE table_name = 'articles'"
_NEWER = {
    "on_topic": ("a.on_topic", "CAST(NULL AS BOOLEAN)"),
    "models": ("list_distinct(list_transform(coalesce(a.models, []), lambda one: one.model))", "[]::VARCHAR[]"),
}
"""Columns that older archives lack: how they are read, and what is read instead."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How many changes were indexed, and the reason if the index was rebuilt."""

    changes: int
    rebuilt: str = ""


def no_progress(done: int, total: int) -> None:
    """The `on_progress` that does nothing."""


def follow(root: Path, *, on_progress: OnProgress = no_progress, wait: float = 0.0) -> Followed:
    """Bring the search index of an archive up to date with its snapshot. Waits `wait` seconds for another follower.

    Raises BadInput if there is no archive, ArchiveBusy if another process is updating the index, StorageFault if this
    one may not write there, ArchiveDamaged if change feed and articles of the snapshot contradict each other.
    """
    if _is_current(root):
        return Followed(0)
    with locked(root, wait=wait):
        try:
            return _follow(root, on_progress)
        except SearchIndexDamaged as damage:
            remove(root)
            return replace(_follow(root, on_progress), rebuilt=damage.reason)


def rebuild_index(root: Path, *, on_progress: OnProgress = no_progress, wait: float = 0.0) -> Followed:
    """Build the index from nothing, whatever is there. Raises as `follow`."""
    with locked(root, wait=wait):
        remove(root)
        return _follow(root, on_progress)


def changes_behind(root: Path, cursor: int) -> int:
    """How many changes of the snapshot come after this cursor."""
    with snapshot_faults(root), open_snapshot(root) as archive:
        return _count(archive, cursor)


def _is_current(root: Path) -> bool:
    try:
        with opened_to_read(root) as index:
            return is_current(index, root)
    except SearchIndexDamaged:
        return False


@contextmanager
def locked(root: Path, *, wait: float) -> Iterator[None]:
    """Inside the block, no other process writes the index. Raises ArchiveBusy, StorageFault; BadInput."""
    check_snapshot(root)
    lock = FileLock(root / layout.SEARCH_LOCK, timeout=wait)
    try:
        lock.acquire()
    except Timeout as error:
        raise ArchiveBusy("another process is updating the search index. Try again.") from error
    except OSError as error:
        raise StorageFault(f"{root / layout.SEARCH_LOCK} cannot be written: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def snapshot_faults(root: Path) -> Iterator[None]:
    """DuckDB's errors as ours. An interrupted query (InterruptException, or a RuntimeError while reading) is Ctrl-C."""
    try:
        yield
    except (duckdb.Error, RuntimeError) as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        if not isinstance(error, duckdb.Error):
            raise
        raise ArchiveDamaged(
            f"{root / layout.SNAPSHOT} cannot be read: {error}. It is a copy: `seogo repair` renews it."
        ) from error


def _follow(root: Path, on_progress: OnProgress) -> Followed:
    stamp = stamp_of(root)  # taken first: if the snapshot is replaced now, the next follower compares again
    with opened_to_write(root) as index, snapshot_faults(root), open_snapshot(root) as archive:
        began = index.meta
        check_origin(root, archive, began)
        changes = _index_changes(archive, index, on_progress)
        _check_number(root, archive, index.meta, is_new=not began.cursor)
        with index.transaction():
            if not began.cursor:
                index.optimize()
            index.set_meta(replace(index.meta, snapshot=stamp))
    return Followed(changes)


def _index_changes(archive: duckdb.DuckDBPyConnection, index: Writer, on_progress: OnProgress) -> int:
    total, done = _count(archive, index.meta.cursor), 0
    while events := archive.execute(_CHANGED, [index.meta.cursor, AT_ONCE]).fetchall():
        named = list(dict.fromkeys(id_ for id_, _, _, _ in events))
        ids = list(dict.fromkeys(id_ for id_, _, _, kind in events if kind != _OF_STORIES))
        _, run, cursor, _ = events[-1]
        with index.transaction():
            index.replace(ids, list(documents(archive, ids)))
            index.set_stories(named, stories(archive, named))
            index.set_meta(Meta(cursor=cursor, run=run))
        done += len(events)
        on_progress(done, total)
    return done


def check_origin(root: Path, archive: duckdb.DuckDBPyConnection, meta: Meta) -> None:
    """Raises SearchIndexDamaged for the index of another archive, or of one that continued differently from a copy.

    Raises BadInput for an archive without a change feed.
    """
    newest_change(archive)
    if not meta.cursor:
        return
    row = archive.execute("SELECT run_id FROM events WHERE seq = ?", [meta.cursor]).fetchone()
    if row is None or row[0] != meta.run:
        reason = "does not exist in the archive" if row is None else "belongs to another run in the archive"
        raise SearchIndexDamaged(root / layout.SEARCH_INDEX, f"the change at its cursor, {meta.cursor}, {reason}")


def _check_number(root: Path, archive: duckdb.DuckDBPyConnection, meta: Meta, *, is_new: bool) -> None:
    """Raise SearchIndexDamaged if the numbers of articles differ, or ArchiveDamaged if the index is new."""
    articles = _one(archive, "SELECT count(*) FROM articles")
    if articles == meta.documents:
        return
    reason = f"it holds {counted(meta.documents, 'article')}, and the archive {articles:,}"
    if is_new:
        raise ArchiveDamaged(f"{root / layout.SEARCH_INDEX} cannot follow the change feed: {reason}. Run: seogo repair")
    raise SearchIndexDamaged(root / layout.SEARCH_INDEX, reason)


def documents(archive: duckdb.DuckDBPyConnection, ids: list[str] | None = None) -> Iterator[Document]:
    """The articles with these ids, or all of them, as they are indexed."""
    which = "" if ids is None else _chosen(archive, ids)
    columns = {name for (name,) in archive.execute(_COLUMNS).fetchall()}
    names = {name: sql if name in columns else lacking for name, (sql, lacking) in _NEWER.items()}
    query = _DOCUMENTS.format(**names, which=which)
    cursor = archive.execute(query)
    while rows := cursor.fetchmany(1_000):
        yield from (Document(*row) for row in rows)


def _chosen(archive: duckdb.DuckDBPyConnection, ids: list[str]) -> str:
    """The end of a query that selects these articles.

    Articles that were stored together lie together. Given their range, DuckDB reads their texts and not those of the
    whole archive; without it, building an index would take quadratic time.
    """
    import pyarrow as pa

    archive.register("wanted", pa.table({"id": pa.array(ids, pa.string())}))
    row = archive.execute("SELECT min(rowid), max(rowid) FROM articles SEMI JOIN wanted USING (id)").fetchone()
    first, last = row if row and row[0] is not None else (0, -1)
    return f"SEMI JOIN wanted USING (id) WHERE a.rowid BETWEEN {first} AND {last}"


def _count(archive: duckdb.DuckDBPyConnection, cursor: int) -> int:
    return _one(archive, "SELECT count(*) FROM events WHERE seq > ?", [cursor])


def _one(archive: duckdb.DuckDBPyConnection, query: str, values: list[int] | None = None) -> int:
    row = archive.execute(query, values or []).fetchone()
    return int(row[0]) if row else 0
