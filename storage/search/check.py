"""Whether the search index is what the archive's texts come to. An index that is merely behind is no fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from schemas.errors import SearchIndexDamaged
from storage.layout import SEARCH_INDEX
from storage.reading.reader import open_snapshot
from storage.search.follower import check_origin, documents, locked
from storage.search.index import Writer, opened_to_write

_WAIT = 60.0
"""Seconds to wait for a process that brings the index up to date."""


def faults(root: Path) -> list[str]:
    """What is wrong with the index of an archive; nothing where there is none. Raises ArchiveBusy, StorageFault."""
    if not (root / SEARCH_INDEX).exists():
        return []
    found: list[str] = []
    with locked(root, wait=_WAIT):
        try:
            with open_snapshot(root) as archive, opened_to_write(root) as index:
                check_origin(root, archive, index.meta)
                found += _differences(archive, index)
                index.check()
        except SearchIndexDamaged as damage:
            found.append(damage.reason)
    return [f"search index: {fault}; `seogo repair` rebuilds it" for fault in found]


def _differences(archive: duckdb.DuckDBPyConnection, index: Writer) -> Iterator[str]:
    """Articles that are not indexed as they are, but for those that changed since."""
    rows = archive.execute("SELECT DISTINCT id FROM events WHERE seq > ?", [index.meta.cursor]).fetchall()
    late, seen = {id_ for (id_,) in rows}, set()
    for document in documents(archive):
        seen.add(document.id)
        if document.id not in late and index.document(document.id) != document:
            yield f"{document.id} is not indexed as the archive has it"
    seen |= late
    yield from (f"{id_} is no article of the archive" for id_ in index.ids() if id_ not in seen)
