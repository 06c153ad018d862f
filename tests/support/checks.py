"""What the tests of `seogo doctor` share: a check by its name, and everything that lies in an archive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flows.runs.doctor.check import Check, Level


def found(checks: Iterable[Check], name: str) -> Check:
    """The one check of this name. Each that is no success says what to do, and only those do."""
    (check,) = [check for check in checks if check.name == name]
    assert bool(check.todo) == (check.level is not Level.OK), check
    return check


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every path below a directory: when it was last changed, and what is in it."""
    paths = [root, *root.rglob("*")] if root.exists() else []
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in paths}
