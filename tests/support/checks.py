"""Shared by the tests of `seogo doctor`: a check by its name, and all files of an archive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flows.runs.doctor.check import Check, Level


def found(checks: Iterable[Check], name: str) -> Check:
    """The check of this name. Also asserts that exactly the checks without success say what to do."""
    (check,) = [check for check in checks if check.name == name]
    assert bool(check.todo) == (check.level is not Level.OK), check
    return check


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """All paths below a directory, with the time of the last change and the content."""
    paths = [root, *root.rglob("*")] if root.exists() else []
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in paths}
