"""Compares the search index with the archive's texts. An index that is only behind is not a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from schemas.errors import ArchiveDamaged, SearchIndexDamaged
from storage.layout import SEARCH_INDEX
from storage.reading.reader import open_snapshot, stories
from storage.search.follower import check_origin, documents, locked, snapshot_faults
from storage.search.index import Writer, opened_to_write, stamp_of

_WAIT = 60.0
"""Seconds to wait for a process that updates the index."""


def search_index_faults(root: Path) -> list[str]:
    """The faults of an archive's index; none if there is no index. Raises ArchiveBusy, StorageFault."""
    if not (root / SEARCH_INDEX).exists():
        return []
    found: list[str] = []
    try:
        with (
            locked(root, wait=_WAIT),
            opened_to_write(root) as index,
            snapshot_faults(root),
            open_snapshot(root) as archive,
        ):
            check_origin(root, archive, index.meta)
            found += _differences(archive, index)
            if index.meta.snapshot == stamp_of(root) and index.stories() != stories(archive):
                found.append("its stories are not those of the archive")
            index.check()
    except SearchIndexDamaged as damage:
        found.append(damage.reason)
    except ArchiveDamaged as damage:
        found.append(f"it cannot be compared: {damage}")
    return [f"search index: {fault}; `seogo repair` rebuilds it" for fault in found]


def _differences(archive: duckdb.DuckDBPyConnection, index: Writer) -> Iterator[str]:
    """Articles that are not indexed as the archive has them, except those that changed since."""
    rows = archive.execute("SELECT DISTINCT id FROM events WHERE seq > ?", [index.meta.cursor]).fetchall()
    late, seen = {id_ for (id_,) in rows}, set()
    for document in documents(archive):
        seen.add(document.id)
        if document.id not in late and index.document(document.id) != document:
            yield f"{document.id} is not indexed as the archive has it"
    seen |= late
    yield from (f"{id_} is no article of the archive" for id_ in index.ids() if id_ not in seen)
