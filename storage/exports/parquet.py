"""The export as Parquet: zstd, a file for each Korean month of publication, in folders named by month."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import duckdb

from schemas.exported import SCHEMA_VERSION
from storage.exports.folder import ExportFile
from storage.exports.records import Month, months

PATTERN = "articles/month=*/articles.parquet"

ROWS = 8192
"""Articles in a row group: some 25 MB of text, which is what a reader holds of it at a time."""


def pieces(connection: duckdb.DuckDBPyConnection, archive: Path) -> list[ExportFile]:
    """A file for each month."""
    return [
        ExportFile(
            PATTERN.replace("*", month.name), month.articles, month.fingerprint, partial(_write, connection, month)
        )
        for month in months(connection)
    ]


def _write(connection: duckdb.DuckDBPyConnection, month: Month, path: Path) -> None:
    sql, bounds = month.records()
    quoted = str(path).replace("'", "''")
    connection.execute(
        f"COPY ({sql}) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS},"
        f" KV_METADATA {{'seogo.record': 'article', 'seogo.schema_version': '{SCHEMA_VERSION}'}})",
        bounds,
    )
