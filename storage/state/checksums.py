"""What the two database files are, byte for byte, while nobody writes to them: kept in `state/seals.json`.

The readers' copy is sealed when it is published. The writer's database is sealed when it is closed, where that costs no
reading of its own, and unsealed when it is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from schemas.errors import ArchiveDamaged
from storage.files import sha256_of
from storage.layout import COPY, UNPUBLISHED, WRITER
from storage.state import json_file

SEALS = "state/seals.json"


def seal(root: Path, file: Path, *names: str, sha256: str | None = None) -> None:
    """Note that the files of these names are, or are about to be, what `file` is, which must be closed.

    `sha256`, where it is known already: else the file is read.
    """
    sealed = {"bytes": file.stat().st_size, "sha256": sha256 or sha256_of(file)}
    _write(root, {**_read(root), **dict.fromkeys(names, sealed)})


def known(root: Path) -> dict[str, Any]:
    """The seals, to be put back with `put_back`."""
    return _read(root)


def put_back(root: Path, seals: dict[str, Any]) -> None:
    """Let the files count for what they were before."""
    _write(root, seals)


def unseal(root: Path, name: str) -> None:
    """The file is about to change."""
    seals = _read(root)
    if seals.pop(name, None) is not None:
        _write(root, seals)


def faults(root: Path) -> list[str]:
    """A sentence for each sealed file that is not what it was. The files must be closed.

    A readers' copy that is behind was perhaps replaced by a run that was killed before it could seal it: it is about to
    be replaced again.
    """
    sealed = {name: seal for name, seal in _read(root).items() if name != COPY or not (root / UNPUBLISHED).exists()}
    return [fault for name, seal in sorted(sealed.items()) if (fault := _fault(root / name, name, seal))]


def _fault(path: Path, name: str, sealed: dict[str, Any]) -> str | None:
    if not path.is_file():
        return f"database {name}: missing"
    if path.stat().st_size != sealed.get("bytes") or sha256_of(path) != sealed.get("sha256"):
        return f"database {name}: not, byte for byte, the file that was written"
    return None


def _read(root: Path) -> dict[str, Any]:
    """The seals; none where the file is missing or damaged: then nothing is known, and nothing is claimed."""
    try:
        return json_file.load(root / SEALS, _parsed) or {}
    except ArchiveDamaged:
        return {}


def _parsed(seals: dict[str, Any]) -> dict[str, Any]:
    return {name: sealed for name, sealed in seals.items() if name in (COPY, WRITER) and isinstance(sealed, dict)}


def _write(root: Path, seals: dict[str, Any]) -> None:
    json_file.save(root / SEALS, seals)
