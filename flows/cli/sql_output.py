"""Where the rows of a query go: to standard output, or whole to a file. Imports rich, so only where it is shown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from rich.text import Text

from flows.cli.show.terminal import distinct, line, out, print_rows
from schemas.errors import BadInput, QueryError, StorageFault
from storage.files import own_part, replacing
from storage.reading.reader import open_snapshot, run_query

TO_FILES = ("csv", "json", "parquet")
"""Formats that may be written to a file."""


def show(archive: Path, sql: str, form: str) -> None:
    """Print a query's rows as `table`, `csv` or `json`. Raises QueryError."""
    with open_snapshot(archive) as connection:
        names, rows = run_query(connection, sql)
        print_rows(names, rows, form)


def check_target(form: str, to: Path | None, archive: Path) -> Path | None:
    """The file to write, its links followed; None for standard output. Raises BadInput where it is not to be written.

    Nothing is written into the archive: `seogo sql` reads, whatever it is asked.
    """
    if to is None:
        if form == "parquet":
            raise BadInput("--format parquet is written to a file: give its name with --to FILE.")
        return None
    if form not in TO_FILES:
        raise BadInput(f"--to {to}: say what to write, with --format csv, json or parquet.")
    target = to.resolve()
    if target.is_relative_to(archive.resolve()):
        raise BadInput(f"--to {to} lies in the archive, where only seogo's own files are: choose another folder.")
    if not target.parent.is_dir():
        raise BadInput(f"--to {to}: the folder {target.parent} does not exist. Make it first.")
    if target.exists() and not target.is_file():
        raise BadInput(f"--to {to} is no file: leave --to out to write to standard output.")
    return target


def write(archive: Path, sql: str, form: str, target: Path) -> None:
    """Write a query's rows to a file, which is replaced whole or not at all. Raises QueryError, BadInput."""
    if form == "parquet":
        act: Callable[[Path], None] = partial(_write_parquet, archive, sql)
    else:
        act = partial(_write_text, archive, sql, form)
    try:
        with replacing(target, beside=own_part(target)) as part:
            act(part)
    except OSError as error:
        raise StorageFault(f"{target} cannot be written: {error.strerror}. Choose another with --to FILE.") from error
    out.print(Text(line(f"{target}: {target.stat().st_size:,} bytes"), style="bold green"))


def _write_text(archive: Path, sql: str, form: str, part: Path) -> None:
    with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file, redirect_stdout(file):
        show(archive, sql, form)


def _write_parquet(archive: Path, sql: str, part: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from storage.reading.arrow import query_batches

    with open_snapshot(archive) as connection:
        found, batches = query_batches(connection, sql)
        names = distinct(found.names)
        schema = pa.schema([field.with_name(name) for field, name in zip(found, names, strict=True)])
        try:
            with pq.ParquetWriter(part, schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch.rename_columns(names))
        except pa.ArrowNotImplementedError as error:
            raise QueryError(f"Parquet has no such type: {error}. Cast the column to VARCHAR.") from error
