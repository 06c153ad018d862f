"""A query's rows as Arrow batches, for who writes them to a file: the connection itself may write nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from schemas.errors import QueryError
from storage.reading.reader import check_one_result, encodable, refusals

ROWS = 8192
"""Rows in a batch."""


def query_batches(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema of a query's result, and its rows, read as they are asked for. Raises QueryError.

    Columns of one name are told apart as in a DuckDB data frame: the second `id` is `id_1`. Several statements are
    run in order; only the last may have rows.
    """
    with refusals("DuckDB refuses the query"):
        statements = connection.extract_statements(encodable(sql))
        check_one_result(statements)
        for statement in statements[:-1]:
            connection.execute(statement)
        reader = connection.sql(statements[-1]).to_arrow_reader(ROWS)
    return reader.schema, _batches(reader)


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowInvalid) as error:  # what Arrow makes of an error of DuckDB's
            raise QueryError(f"DuckDB stopped in the middle of the query: {error}") from error
        yield batch
