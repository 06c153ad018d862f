"""A whole state of the archive in an object store, for programs that read over the network.

    manifest.json                                  the names of all files of the state; replaced last
    snapshots/{checksum}.duckdb                    the snapshot
    articles/month=2025-12/{checksum}.parquet      all articles, by Korean month of publication
    changes/{since}-{cursor}.parquet               the change feed, a segment for each publication

An object never changes: another content has another name. So a program that reads the manifest, and then
what it names, reads one state. The objects of the previous state stay until the next publication, for programs that
are still reading them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveDamaged, BadInput, ObjectExists
from schemas.exported import SCHEMA_VERSION
from storage.database.writer import storage_faults
from storage.exports.changes import export_changes
from storage.exports.full import FOLDER, export
from storage.files import sha256_of
from storage.layout import SNAPSHOT
from storage.objects.store import ObjectStore, open_store
from storage.reading.changes import first_run
from storage.reading.reader import newest_change, open_snapshot
from storage.scratch import scratch_folder

MANIFEST = "manifest.json"
_KINDS = ("snapshots", "articles", "changes")
_DIGITS = 19


@dataclass(frozen=True, slots=True)
class StoreExport:
    """The result. `cursor`: of the newest change in the state; `uploaded`, `deleted`: names of objects."""

    address: str
    cursor: int
    uploaded: tuple[str, ...]
    deleted: tuple[str, ...]
    bytes: int

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.uploaded)


def export_to_store(archive: Path, address: str, *, wait: float = 0.0) -> StoreExport:
    """Bring the state in an object store up to date with the archive's snapshot.

    Raises BadInput (also if the place has the state of another or a newer archive), ArchiveBusy, ArchiveDamaged,
    ObjectStoreFault, StorageFault.
    """
    store = open_store(address)
    before = _manifest(store)
    with pinned(archive) as state:
        name, cursor = _identity(state)
        _check(store, before, name, cursor)
        files = {**_snapshot(state), **_articles(archive, state, wait), **_changes(state, before, cursor)}
        known = before.get("files", {})
        new = {name: path for name, path in files.items() if name not in known}
        wanted = {name: known.get(name) or _description(path) for name, path in files.items()}
        wanted |= {name: entry for name, entry in known.items() if name.startswith("changes/")}
        for object_name, path in new.items():
            _put(store, object_name, path, wanted[object_name])
        if new:
            store.replace(MANIFEST, _manifest_bytes(name, cursor, wanted))
        deleted = _delete_others(store, wanted.keys() | known.keys()) if new else ()
        size = sum(wanted[one]["bytes"] for one in new)
    return StoreExport(address, cursor, tuple(new), deleted, size)


@contextmanager
def pinned(archive: Path) -> Iterator[Path]:
    """A directory with the archive's snapshot as it is now, whatever replaces it meanwhile. Raises BadInput."""
    source = archive / SNAPSHOT
    if not source.is_file():
        raise BadInput(f"{source} does not exist: there is nothing to publish. Crawl or import first.")
    with storage_faults(archive), scratch_folder(archive) as folder:
        try:
            os.link(source, folder / SNAPSHOT)
        except OSError:  # the file system does not permit hard links
            shutil.copyfile(source, folder / SNAPSHOT)
        yield folder


def _identity(state: Path) -> tuple[str, int]:
    """The archive's first run, which no other archive has, and the cursor of its newest change."""
    with open_snapshot(state) as connection:
        return first_run(connection) or "", newest_change(connection)


def _check(store: ObjectStore, before: Mapping[str, Any], archive: str, cursor: int) -> None:
    if before and before["archive"] != archive:
        raise BadInput(f"{store.address} has the exports of another archive. Choose another prefix.")
    if before and before["cursor"] > cursor:
        raise BadInput(f"{store.address} has a newer state (cursor {before['cursor']}) than this archive ({cursor}).")


def _manifest(store: ObjectStore) -> Mapping[str, Any]:
    """The manifest in the store; empty if there is none."""
    data = store.find(MANIFEST)
    if data is None:
        return {}
    try:
        found = json.loads(data)
        return {"archive": str(found["archive"]), "cursor": int(found["cursor"]), "files": dict(found["files"])}
    except (ValueError, TypeError, LookupError) as error:
        raise ArchiveDamaged(f"{store.address}/{MANIFEST} is damaged. Delete it, then publish again.") from error


def _manifest_bytes(archive: str, cursor: int, files: Mapping[str, Mapping[str, Any]]) -> bytes:
    named = {kind: sorted(name for name in files if name.startswith(f"{kind}/")) for kind in _KINDS}
    found = {
        "version": 1,
        "schema_version": SCHEMA_VERSION,
        "archive": archive,
        "cursor": cursor,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "snapshot": named["snapshots"][0],
        "articles": named["articles"],
        "changes": named["changes"],
        "files": files,
    }
    return json.dumps(found, indent=1).encode()


def _snapshot(state: Path) -> dict[str, Path]:
    path = state / SNAPSHOT
    return {f"snapshots/{sha256_of(path)[:16]}.duckdb": path}


def _articles(archive: Path, state: Path, wait: float) -> dict[str, Path]:
    folder = archive / FOLDER
    export(state, "parquet", folder, wait=wait)
    found = sorted((folder / "articles").glob("month=*/articles.parquet"))
    return {f"articles/{path.parent.name}/{sha256_of(path)[:16]}.parquet": path for path in found}


def _changes(state: Path, before: Mapping[str, Any], cursor: int) -> dict[str, Path]:
    since = before.get("cursor", 0)
    if since == cursor:
        return {}
    made = export_changes(state, since, "parquet", state)
    return {f"changes/{since:0{_DIGITS}}-{cursor:0{_DIGITS}}.parquet": Path(made.file)}


def _description(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _put(store: ObjectStore, name: str, path: Path, description: Mapping[str, Any]) -> None:
    try:
        store.create(name, path)
    except ObjectExists:
        store.replace(name, path)  # left by a publication that was killed: no manifest names it
    store.check(name, description["bytes"], description["sha256"])


def _delete_others(store: ObjectStore, named: set[str]) -> tuple[str, ...]:
    """Delete the files of earlier states that neither this one nor the one before names."""
    found = [item.name for kind in ("snapshots", "articles") for item in store.list(kind)]
    others = tuple(name for name in found if name not in named)
    store.delete(others)
    return others
