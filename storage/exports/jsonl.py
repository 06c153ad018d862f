"""The export as JSON lines: one object an article, in UTF-8, times in Korean time with their offset."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import duckdb

from storage.exports.folder import ExportFile
from storage.exports.records import Month, json_records, months

NAME = "articles.jsonl"
PACKED_NAME = "articles.jsonl.gz"

_BREAKS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What JSON may hold as it is, and yet ends a line for some who read lines."""


def pieces(connection: duckdb.DuckDBPyConnection, archive: Path) -> list[ExportFile]:
    """One file."""
    found = months(connection)
    return [_piece(NAME, found, partial(_write, connection, found))]


def packed_pieces(connection: duckdb.DuckDBPyConnection, archive: Path) -> list[ExportFile]:
    """The same, packed with gzip."""
    found = months(connection)
    return [_piece(PACKED_NAME, found, partial(_write_packed, connection, found))]


def line(record: str) -> bytes:
    """A record, which is JSON, as a line with its end."""
    for character, escape in _BREAKS.items():
        if character in record:
            record = record.replace(character, escape)
    return record.encode() + b"\n"


def _piece(name: str, found: Sequence[Month], write: Callable[[Path], None]) -> ExportFile:
    every = hashlib.sha256("\n".join(f"{month.name} {month.fingerprint}" for month in found).encode()).hexdigest()
    return ExportFile(name, sum(month.articles for month in found), every, write)


def _write(connection: duckdb.DuckDBPyConnection, found: Sequence[Month], path: Path) -> None:
    with path.open("wb") as file:
        _write_lines(connection, found, file)


def _write_packed(connection: duckdb.DuckDBPyConnection, found: Sequence[Month], path: Path) -> None:
    # Without name and time: the same articles give the same bytes.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0, compresslevel=6) as file:
        _write_lines(connection, found, file)


def _write_lines(connection: duckdb.DuckDBPyConnection, found: Sequence[Month], file: BinaryIO | gzip.GzipFile) -> None:
    for month in found:
        for record in json_records(connection, month):
            file.write(line(record))
