"""Checksums of the two database files while nobody writes to them, in `state/seals.json`.

The checksum of the snapshot is recorded when it is published; that of the writer's database when it is closed, if the
file has been read anyway. The latter is forgotten when the database is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from schemas.errors import ArchiveDamaged
from storage.files import sha256_of
from storage.layout import SNAPSHOT, UNPUBLISHED, WRITER_DATABASE
from storage.state import json_file

CHECKSUMS = "state/seals.json"


def record(root: Path, file: Path, *names: str, schema: int, sha256: str | None = None) -> None:
    """Record that the files of these names have, or are about to have, the content of `file`, which must be closed.

    `schema`: the version of its tables. `sha256`: its checksum if it is known already; otherwise the file is read.
    """
    checksum = {"bytes": file.stat().st_size, "sha256": sha256 or sha256_of(file), "schema": schema}
    _write(root, {**_read(root), **dict.fromkeys(names, checksum)})


def known(root: Path) -> dict[str, Any]:
    """The recorded checksums, to be put back with `restore`."""
    return _read(root)


def restore(root: Path, checksums: dict[str, Any]) -> None:
    """Record the checksums that `known` returned."""
    _write(root, checksums)


def forget(root: Path, name: str) -> None:
    """Remove the checksum of a file that is about to change."""
    checksums = _read(root)
    if checksums.pop(name, None) is not None:
        _write(root, checksums)


def faults(root: Path) -> list[str]:
    """A sentence for each file that does not have its recorded checksum. The files must be closed.

    A snapshot that is behind may have been replaced by a run that was killed before it recorded the checksum. It is
    replaced again soon, and does not count.
    """
    behind = (root / UNPUBLISHED).exists()
    checked = {name: checksum for name, checksum in _read(root).items() if name != SNAPSHOT or not behind}
    return [fault for name, checksum in sorted(checked.items()) if (fault := _fault(root / name, name, checksum))]


def _fault(path: Path, name: str, checksum: dict[str, Any]) -> str | None:
    if not path.is_file():
        return f"database {name}: missing"
    if path.stat().st_size != checksum.get("bytes") or sha256_of(path) != checksum.get("sha256"):
        return f"database {name}: differs from the file that was written"
    return None


def _read(root: Path) -> dict[str, Any]:
    """The checksums; none if the file is missing or damaged."""
    try:
        return json_file.load(root / CHECKSUMS, _parsed) or {}
    except ArchiveDamaged:
        return {}


def _parsed(checksums: dict[str, Any]) -> dict[str, Any]:
    known_files = (SNAPSHOT, WRITER_DATABASE)
    return {name: one for name, one in checksums.items() if name in known_files and isinstance(one, dict)}


def _write(root: Path, checksums: dict[str, Any]) -> None:
    json_file.save(root / CHECKSUMS, checksums)
