"""Where the rows of a query go: to standard output, or to a file that is replaced as a whole."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

from flows.cli.show.rows import distinct, print_rows
from flows.cli.show.terminal import say
from schemas.errors import BadInput, QueryError, StorageFault
from storage.files import own_part, replacing
from storage.layout import check_utf8
from storage.reading.reader import open_snapshot, run_query

TO_FILES = ("csv", "json", "parquet")
"""Formats that may be written to a file."""


def print_query(archive: Path, sql: str, form: str) -> None:
    """Print a query's rows as `table`, `csv` or `json`. Raises QueryError."""
    with open_snapshot(archive) as connection:
        names, rows = run_query(connection, sql)
        print_rows(names, rows, form)


def check_target(form: str, to: Path | None, archive: Path) -> Path | None:
    """The file to write, with links resolved; None for standard output. Raises BadInput if it must not be written.

    Nothing may be written into the archive: `seogo sql` only reads it.
    """
    if to is None:
        if form == "parquet":
            raise BadInput("--format parquet needs a file: add --to FILE.")
        return None
    if form not in TO_FILES:
        raise BadInput(f"--to {to}: add --format csv, json or parquet.")
    check_utf8(to)
    target = to.resolve()
    if target.is_relative_to(archive.resolve()):
        raise BadInput(f"--to {to} is inside the archive, which only seogo writes: choose another directory.")
    if not target.parent.is_dir():
        raise BadInput(f"--to {to}: the directory {target.parent} does not exist. Create it first.")
    if target.exists() and not target.is_file():
        raise BadInput(f"--to {to} is not a regular file: leave out --to to write to standard output.")
    return target


def write_query(archive: Path, sql: str, form: str, target: Path) -> None:
    """Write a query's rows to a file, which is replaced whole or not at all. Raises QueryError, BadInput."""
    write = _write_parquet if form == "parquet" else _write_text
    try:
        with replacing(target, beside=own_part(target)) as part:
            write(archive, sql, form, part)
    except OSError as error:
        raise StorageFault(f"{target} cannot be written: {error.strerror}. Choose another with --to FILE.") from error
    say(f"{target}: {target.stat().st_size:,} bytes", "bold green")


def _write_text(archive: Path, sql: str, form: str, part: Path) -> None:
    with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file, redirect_stdout(file):
        print_query(archive, sql, form)


def _write_parquet(archive: Path, sql: str, form: str, part: Path) -> None:
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
