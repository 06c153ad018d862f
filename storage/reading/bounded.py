"""An untrusted query, in a process of its own whose time, memory and rows are bounded.

DuckDB's own limits do not suffice: it may evaluate `repeat('x', 2000000000)` before it looks at them, and an interrupt
waits for that.

python -P -m storage.reading.bounded ARCHIVE < query.sql
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveBusy, QueryError, SeogoError
from storage.reading.reader import check_one_result, check_snapshot, encodable, refusals
from storage.reading.shared import attached

SECONDS = 5.0
ROWS = 1_000
MEMORY = 1_000_000_000
"""Bytes of address space of the process, the program itself included."""
_AT_ONCE = threading.BoundedSemaphore(2)
_LONGEST_RESULT = 20_000_000
"""Characters of a result."""
_DENIED = 3
_NO_MEMORY = (b"MemoryError", b"OutOfMemoryException", b"bad_alloc", b"Cannot allocate memory")

Table = tuple[list[str], list[list[Any]], bool]


def bounded_query(root: Path, sql: str) -> Table:
    """The names of the columns, the first rows, and whether there are more. One SELECT; values as in JSON.

    Raises QueryError, ArchiveBusy if others are running, BadInput or ArchiveDamaged if there is no archive.
    """
    check_snapshot(root)
    if not _AT_ONCE.acquire(blocking=False):
        raise ArchiveBusy("Other queries are running. Try again in a moment.")
    try:
        return _ask(root, encodable(sql))
    finally:
        _AT_ONCE.release()


def _ask(root: Path, sql: str) -> Table:
    command = [sys.executable, "-P", "-m", "storage.reading.bounded", str(root.resolve())]
    try:
        ended = subprocess.run(command, input=sql.encode(), capture_output=True, check=False, timeout=SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise QueryError(f"the query took longer than {SECONDS:g} seconds: ask for less.") from error
    if ended.returncode == _DENIED:
        raise QueryError(ended.stdout.decode("utf-8", "replace"))
    if ended.returncode < 0 or any(sign in ended.stderr for sign in _NO_MEMORY):  # DuckDB may end by a signal
        raise QueryError("the query needs too much memory: ask for less.")
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stderr.decode('utf-8', 'replace')}")
    names, rows, more = json.loads(ended.stdout)
    return names, rows, more


def main() -> int:
    """Answer the query on standard input as JSON on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        table = _first_rows(Path(sys.argv[1]), sys.stdin.buffer.read().decode())
    except SeogoError as error:
        sys.stdout.write(str(error))
        return _DENIED
    written = json.dumps(table, default=str)
    if len(written) > _LONGEST_RESULT:
        sys.stdout.write("the result is too large: ask for less.")
        return _DENIED
    sys.stdout.write(written)
    return 0


def _first_rows(root: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    connection = attached(check_snapshot(root))
    with refusals("DuckDB refuses the query"):
        statements = connection.extract_statements(sql)
        check_one_result(statements)
        if len(statements) != 1 or statements[0].type.name != "SELECT":
            raise QueryError("one SELECT is answered here, and nothing else.")
        connection.execute(statements[0])
        names = [column[0] for column in connection.description or ()]
        rows = connection.fetchmany(ROWS + 1)
    return names, rows[:ROWS], len(rows) > ROWS


if __name__ == "__main__":
    sys.exit(main())
