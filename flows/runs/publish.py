"""A publication: readers get a new snapshot of the database, and the exports are written, where they are outdated."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.runs.search_index import update_search_index
from schemas.errors import BadInput
from storage import layout
from storage.archive import opened
from storage.database.writer import migrations
from storage.exports.delta import DeltaExport, export_delta
from storage.exports.full import FORMS, Exported, export
from storage.exports.object_store import StoreExport, export_to_store
from storage.layout import check_archive
from storage.objects.store import open_store
from storage.state import checksums
from storage.state.lease import leased


@dataclass(frozen=True, slots=True)
class PublishOrder:
    """What to publish. `formats`: of FORMS. `wait`: seconds to wait, each time, for another process that writes.

    `to`: the address of an object store that gets a whole state; `delta`: and the articles as a Delta table.
    """

    archive: Path
    wait: float = 0.0
    formats: tuple[str, ...] = ("parquet", "atom")
    to: str | None = None
    delta: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """The result. `snapshot`: whether readers got a new snapshot; it has `snapshot_bytes` bytes.

    `notes`: sentences about what a killed run had left unfinished and was finished first, and warnings. `seconds`: of
    all of it.
    """

    archive: str
    snapshot: bool
    snapshot_bytes: int
    exports: tuple[Exported, ...]
    notes: tuple[str, ...]
    seconds: float
    store: StoreExport | None = None
    delta: DeltaExport | None = None

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        sent = (self.store is not None and self.store.changed) or (self.delta is not None and self.delta.changed)
        return self.snapshot or sent or any(one.changed for one in self.exports)

    @property
    def explanation(self) -> str:
        """The result in a sentence."""
        if not self.changed:
            return "nothing has changed since the last publication"
        snapshot = [f"readers' database {self.snapshot_bytes:,} bytes"] if self.snapshot else []
        sent = [_store_text(self.store)] if self.store and self.store.changed else []
        sent += [_delta_text(self.delta)] if self.delta and self.delta.changed else []
        return "; ".join(snapshot + [_export_text(one) for one in self.exports if one.changed] + sent)

    def as_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return {
            "archive": self.archive,
            "changed": self.changed,
            "explanation": self.explanation,
            "snapshot": self.snapshot,
            "snapshot_bytes": self.snapshot_bytes,
            "exports": [one.as_json() for one in self.exports],
            "store": asdict(self.store) if self.store else None,
            "delta": asdict(self.delta) if self.delta else None,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


def publish(order: PublishOrder) -> Published:
    """Publish what is outdated, and nothing else. The archive is locked only while the database is copied.

    Raises BadInput, ArchiveBusy, ArchiveDamaged, ArchiveTooNew, StorageFault.
    """
    began = time.monotonic()
    _check(order)
    with leased(order.archive, wait=order.wait):
        outdated = _is_outdated(order.archive)
        notes = _publish_snapshot(order.archive) if outdated else ()
    notes += tuple(update_search_index(order.archive))
    exports = tuple(export(order.archive, form, wait=order.wait) for form in order.formats)
    store = export_to_store(order.archive, order.to, wait=order.wait) if order.to else None
    delta = export_delta(order.archive, order.to) if order.to and order.delta else None
    size = (order.archive / layout.SNAPSHOT).stat().st_size
    seconds = time.monotonic() - began
    return Published(str(order.archive), outdated, size, exports, notes, seconds, store, delta)


def _check(order: PublishOrder) -> None:
    """Raises BadInput, before anything is made or waited for."""
    check_archive(order.archive)
    if unknown := [form for form in order.formats if form not in FORMS]:
        raise BadInput(f"there is no export in the format {unknown[0]!r}: choose among {', '.join(FORMS)}.")
    if order.delta and not order.to:
        raise BadInput("a Delta table is published to an object store: name it with --to.")
    if order.to:
        open_store(order.to)


def _is_outdated(archive: Path) -> bool:
    """Whether the readers' snapshot differs from the writer's database, or is of an older seogo. Reads neither of them.

    The checksum of each was recorded when it was closed, and the writer's is removed when it is opened. So after a run
    that published nothing, or was killed, there is none, or another one.
    """
    known = checksums.known(archive)
    copy, writer = known.get(layout.SNAPSHOT), known.get(layout.WRITER_DATABASE)
    if copy is None or copy != writer or copy.get("schema") != migrations()[-1].version:
        return True
    return not (archive / layout.SNAPSHOT).is_file() or (archive / layout.UNPUBLISHED).exists()


def _publish_snapshot(archive: Path) -> tuple[str, ...]:
    """Finish what a killed run left, and copy the writer's database. Returns sentences about what was finished."""
    with opened(archive) as found:
        found.find_pairs("publish")
        found.publish_at_end()
        return tuple(found.notes)


def _store_text(store: StoreExport) -> str:
    return f"{store.address} {len(store.uploaded)} objects, {store.bytes:,} bytes"


def _delta_text(delta: DeltaExport) -> str:
    return f"{delta.address} {delta.commits} commits"


def _export_text(one: Exported) -> str:
    files = f"{len(one.written)} of {len(one.written) + one.unchanged} files, {one.bytes:,} bytes"
    restored = f", {len(one.restored)} of them missing or altered" if one.restored else ""
    return f"{one.format} {files}{restored}{f', {len(one.removed)} removed' if one.removed else ''}"
