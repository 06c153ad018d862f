"""Whether a snapshot has the tables and columns that this version of seogo reads."""

from __future__ import annotations

import duckdb

from schemas.errors import BadInput
from storage.database.writer import migrations

OLDER = "written by an older seogo: run `seogo publish` once, which updates it."


def is_older(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the schema of a snapshot lacks migrations."""
    ((applied,),) = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchall()
    return bool(applied < migrations()[-1].version)


def check_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Raises BadInput for the snapshot of an older seogo, which lacks what exported records are made of."""
    if is_older(connection):
        raise BadInput(f"the archive was {OLDER}")
