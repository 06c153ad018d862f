"""The rows of a WARC file's entries, by table, as Arrow files: for a rebuild. A row's place is its number in there.

They are written as they come, by the process that reads the WARC file: those of a large one would take hundreds of
megabytes of memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.ipc

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


class RowFiles:
    """Writes the rows of the WARC file `name` into files in `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._open = ExitStack()
        self._writers: dict[str, pa.ipc.RecordBatchStreamWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows of a table."""
        if table not in self._writers:
            file = self._open.enter_context(pa.OSFile(str(rows_path(self._folder, self._name, table)), "wb"))
            writer = pa.ipc.new_stream(file, rows.schema, options=_COMPRESSED)
            self._writers[table] = self._open.enter_context(writer)
        self._writers[table].write_table(rows)


def rows_path(folder: Path, name: str, table: str) -> Path:
    """The Arrow file with the rows of a table that the entries in the WARC file `name` have."""
    return folder / f"{name.replace('/', '_')}.{table}"


def read_rows(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows of an Arrow file, in parts of the size in which they were written; none if there is no file."""
    if path.exists():
        with pa.ipc.open_stream(pa.memory_map(str(path))) as stream:
            yield from stream
