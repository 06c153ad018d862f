"""What the two database files are, byte for byte, while nobody writes to them: kept in `state/seals.json`.

The readers' copy is sealed when it is published. The writer's database is sealed when it is closed, where that costs no
reading of its own, and unsealed when it is opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from storage.files import sha256_of, write_atomically
from storage.layout import COPY, UNPUBLISHED, WRITER


def seal(root: Path, name: str, sha256: str | None = None) -> None:
    """Note what a file is. `sha256`, where it is known already (else the file is read: it must be closed)."""
    path = root / name
    _write(root, {**_read(root), name: {"bytes": path.stat().st_size, "sha256": sha256 or sha256_of(path)}})


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
        seals = json.loads((root / "state" / "seals.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(seals, dict):
        return {}
    return {name: sealed for name, sealed in seals.items() if name in (COPY, WRITER) and isinstance(sealed, dict)}


def _write(root: Path, seals: dict[str, Any]) -> None:
    path = root / "state" / "seals.json"
    write_atomically(path, json.dumps(seals).encode(), temporary=path.with_suffix(".tmp"))
