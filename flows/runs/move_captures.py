"""Moves the captures of an archive to an object store, or back into its directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from schemas.errors import BadInput, ObjectStoreFault
from storage.archive import opened
from storage.captures.homes import settings
from storage.captures.homes.directory import local_names
from storage.captures.homes.move import bring_back, leave
from storage.captures.writer import CaptureFile
from storage.layout import check_archive
from storage.objects.address import parse_address
from storage.state import uploads
from storage.state.lease import leased

DIRECTORY = "directory"
"""The home that is no object store."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The result: where the captures are now, how many files the archive has, and how many of them were moved."""

    archive: str
    captures: str
    files: int
    moved: int

    def as_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return asdict(self)


def move_captures(archive: Path, to: str, *, wait: float = 0.0, environment: Mapping[str, str] = os.environ) -> Moved:
    """Move all captures to the object store `to`, or to DIRECTORY. Goes on where an earlier move was interrupted.

    Raises BadInput, ArchiveBusy, ArchiveDamaged, ObjectChanged, StorageFault. After an error, no capture is lost.
    """
    check_archive(archive)
    with leased(archive, wait=wait):
        if to == DIRECTORY:
            return _to_directory(archive, environment)
        return _to_store(archive, str(parse_address(to)))


def _to_store(archive: Path, address: str) -> Moved:
    home = settings.load(archive).home
    if home not in (None, address):
        raise BadInput(f"{archive} keeps its captures in {home}. First: seogo captures move --to {DIRECTORY}")
    before = len(local_names(archive))
    settings.claim(archive, address)
    files = _recorded(archive)  # uploads when the archive is closed
    state = uploads.last(archive)
    if state is not None and state.fault:
        raise ObjectStoreFault(f"{state.waiting} captures are still in {archive}: {state.fault} Then run this again.")
    return Moved(str(archive), address, len(files), before - len(local_names(archive)))


def _to_directory(archive: Path, environment: Mapping[str, str]) -> Moved:
    if environment.get(settings.VARIABLE):
        raise BadInput(f"{settings.VARIABLE} is set: the next run would move the captures again. Unset it first.")
    files = _recorded(archive)
    moved = 0
    if home := settings.load(archive).home:
        moved = bring_back(archive, home, files)
    leave(archive, files)
    uploads.forget(archive)
    return Moved(str(archive), DIRECTORY, len(files), moved)


def _recorded(archive: Path) -> dict[str, CaptureFile]:
    """The checksums of all finished files, after a recovery."""
    with opened(archive) as found:
        rows = found.database.rows("SELECT name, bytes, sha256, run_id FROM capture_files")
        return {row["name"]: CaptureFile(**row) for row in rows}
