"""Rewrites the writer's database without the free blocks that small runs leave in it.

A run writes new copies of the blocks that it changes, and frees the old ones. DuckDB reuses free blocks, but never
shortens a file, so a small database consists mostly of them. It is copied, table by table, into a new file, which
replaces it by a rename.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from storage.database.writer import COMPATIBLE_WITH, Database, storage_faults
from storage.files import replacing

MOST_FREE = 0.5
"""Free blocks per block in use. Above this, the file is more than 1.5 times as large as it needs to be."""

FEW_BLOCKS = 8
"""Up to this many free blocks (of 256 KB) are never worth a copy."""

LARGEST = 512 * 1024 * 1024
"""The size in bytes of the largest file that is copied: a copy takes 80 seconds per GB."""

LITTLE, MORE = "64MB", "256MB"
"""DuckDB's memory limit for a copy, and the one if that is too low: 64 MB are enough for 100,000 articles."""

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,  # a second one makes it no faster, and doubles the memory
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def is_bloated(database: Database) -> bool:
    """Whether a copy would be much smaller, and is worth its cost. Meaningful only after a checkpoint."""
    (size,) = database.rows("PRAGMA database_size")
    free, used = int(size["free_blocks"]), int(size["used_blocks"])
    small = int(size["total_blocks"]) * int(size["block_size"]) <= LARGEST
    return small and free > FEW_BLOCKS and free > MOST_FREE * used


def compact(path: Path, *, temporary: Path) -> None:
    """Replace the database at `path`, which must be closed, by a compact copy. Raises StorageFault.

    After a kill at any moment, the file is either the old one or the new one.
    """
    temporary.unlink(missing_ok=True)
    with storage_faults(path), replacing(path, beside=temporary) as part:
        _copy_in_little_memory(path, part)


def _copy_in_little_memory(source: Path, target: Path) -> None:
    try:
        _copy(source, target, LITTLE)
    except duckdb.OutOfMemoryException:
        target.unlink(missing_ok=True)
        _copy(source, target, MORE)


def _copy(source: Path, target: Path, memory: str) -> None:
    settings = {**_SETTINGS, "memory_limit": memory, "temp_directory": f"{target}.spill"}
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"ATTACH {_quoted(source)} AS bloated (READ_ONLY)")
        connection.execute(f"ATTACH {_quoted(target)} AS lean (STORAGE_VERSION '{COMPATIBLE_WITH}')")
        connection.execute("COPY FROM DATABASE bloated TO lean")
        connection.execute("DETACH lean")  # writes everything into the file


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
