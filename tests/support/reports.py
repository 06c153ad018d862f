"""Shared by the tests of the reports: hostile text, and manual changes to a snapshot."""

from __future__ import annotations

from pathlib import Path

import duckdb

from schemas.article import Outcome
from schemas.find import FindResult
from tests.support.values import key, ref

EVIL = "<img src=x onerror=alert(1)> | [눌러](http://evil.example) `x` \x1b[31m\n## 새 절 www.evil.example"


def altered(root: Path, *statements: str) -> None:
    """Execute statements in the snapshot."""
    with duckdb.connect(str(root / "archive.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)


def gone(number: int) -> FindResult:
    return FindResult(ref(key(number)), Outcome.GONE, "the page says: 삭제된 기사")
