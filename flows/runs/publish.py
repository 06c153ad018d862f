"""Give readers what the archive holds: their copy of the database where it is behind, and exports where they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import BadInput
from storage import layout
from storage.archive import leased, opened
from storage.exports.full import FORMS, Exported, export
from storage.layout import check_archive
from storage.state import checksums as seals


@dataclass(frozen=True, slots=True)
class PublishOrder:
    """What to publish. `wait`: seconds to wait for another process that writes, each time. `formats`: of FORMS."""

    archive: Path
    wait: float = 0.0
    formats: tuple[str, ...] = ("parquet", "atom")


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it. `snapshot`: whether readers got a new copy of the database, of so many `snapshot_bytes`.

    `notes`: sentences about what a killed run had left and was finished first. `seconds`: all of it.
    """

    archive: str
    snapshot: bool
    snapshot_bytes: int
    exports: tuple[Exported, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def changed(self) -> bool:
        return self.snapshot or any(one.changed for one in self.exports)

    @property
    def explanation(self) -> str:
        """One sentence for people."""
        if not self.changed:
            return "nothing changed since it was published last"
        said = [f"readers' database {self.snapshot_bytes:,} bytes"] if self.snapshot else []
        return "; ".join(said + [_said(one) for one in self.exports if one.changed])

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "archive": self.archive,
            "changed": self.changed,
            "explanation": self.explanation,
            "snapshot": self.snapshot,
            "snapshot_bytes": self.snapshot_bytes,
            "exports": [one.as_json() for one in self.exports],
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


def publish(order: PublishOrder) -> Published:
    """Publish what is behind, and only that. The archive is leased only while the database is copied.

    Raises BadInput, ArchiveBusy, ArchiveDamaged, ArchiveTooNew, StorageFault.
    """
    began = time.monotonic()
    _check(order)
    with leased(order.archive, wait=order.wait):
        behind = _is_behind(order.archive)
        notes = _publish_anew(order.archive) if behind else ()
    exports = tuple(export(order.archive, form, wait=order.wait) for form in order.formats)
    size = (order.archive / layout.COPY).stat().st_size
    return Published(str(order.archive), behind, size, exports, notes, time.monotonic() - began)


def _check(order: PublishOrder) -> None:
    """Before anything is made or waited for."""
    check_archive(order.archive)
    if unknown := [form for form in order.formats if form not in FORMS]:
        raise BadInput(f"there is no export in the format {unknown[0]!r}: choose among {', '.join(FORMS)}.")


def _is_behind(archive: Path) -> bool:
    """Whether readers have anything else than the writer's database as it is now. Costs no look into either.

    Each was sealed when it was closed, and the writer's seal is broken when it is opened: a run that published nothing,
    or was killed, leaves no seal or another.
    """
    known = seals.known(archive)
    copy, writer = known.get(layout.COPY), known.get(layout.WRITER)
    whole = copy is not None and (archive / layout.COPY).is_file() and not (archive / layout.UNPUBLISHED).exists()
    return not whole or copy != writer


def _publish_anew(archive: Path) -> tuple[str, ...]:
    """Copy the writer's database, after what a killed run left is finished. Returns sentences about that."""
    with opened(archive) as found:
        found.publish_anew()
        return tuple(found.notes)


def _said(one: Exported) -> str:
    files = f"{len(one.written)} of {len(one.written) + one.unchanged} files, {one.bytes:,} bytes"
    return f"{one.format} {files}{f', {len(one.removed)} removed' if one.removed else ''}"
