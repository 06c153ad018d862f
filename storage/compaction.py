"""The writer's database without the room that small runs leave free in it.

Each run that changes something writes the blocks that it touches anew, and frees the old ones: DuckDB uses them again,
and never makes a file shorter. A small database is mostly such blocks. It is copied, table by table, into a new file,
which takes its place by rename.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from storage.database import COMPATIBLE_WITH, Database, storage_faults
from storage.files import sync_file, sync_folder

MOST_FREE = 0.5
"""Free blocks beside one that is in use. Beyond, the file is more than 1.5 times as large as it needs to be."""

FEW_BLOCKS = 8
"""Free blocks (of 256 KB) that nobody minds."""

LARGEST = 512 * 1024 * 1024
"""Bytes of the largest file that is copied: a copy takes 50 seconds a GB, and memory in proportion."""

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "256MB",
    "threads": 2,
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def is_bloated(database: Database) -> bool:
    """Whether a copy would be much smaller, and is worth its cost. Ask when everything is in the file."""
    (size,) = database.rows("PRAGMA database_size")
    free, used = int(size["free_blocks"]), int(size["used_blocks"])
    small = int(size["total_blocks"]) * int(size["block_size"]) <= LARGEST
    return small and free > FEW_BLOCKS and free > MOST_FREE * used


def compact(path: Path, *, temporary: Path) -> None:
    """Put a compact copy in the place of the database at `path`, which is closed. Raises StorageFault.

    Killed at any moment, either the old file is there or the new one, whole.
    """
    temporary.unlink(missing_ok=True)
    with storage_faults(path):
        try:
            _copy(path, temporary)
            sync_file(temporary)
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with duckdb.connect(config={**_SETTINGS, "temp_directory": f"{target}.spill"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"ATTACH {_quoted(source)} AS bloated (READ_ONLY)")
        connection.execute(f"ATTACH {_quoted(target)} AS lean (STORAGE_VERSION '{COMPATIBLE_WITH}')")
        connection.execute("COPY FROM DATABASE bloated TO lean")
        connection.execute("DETACH lean")  # writes everything into the file


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
