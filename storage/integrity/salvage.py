"""Copies the readable tables of a damaged database to a new one.

One flipped byte makes a block unreadable, and with it the table that the block belongs to; the other tables are intact.
The new database also has new indexes: damage in an index shows only when something is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import ArchiveDamaged, ArchiveTooNew, StorageFault
from storage.database.writer import Database, migrations, storage_faults
from storage.journal.tables import JOURNALED


def salvage(source: Path, target: Path) -> bool:
    """Copy each readable table into a new database. Returns whether these include all tables that journals determine.

    The next start restores what the other tables lack. Raises ArchiveTooNew.
    """
    database = Database.open(target, commented=False)
    try:
        with database.attached(source, "damaged"):
            tables = _tables(database)
            _check_version(source, database)
            copied = {table for table in tables if _is_copied(database, table)}
    except (ArchiveDamaged, StorageFault):
        return False
    finally:
        database.close()
    return {"articles", "runs"} <= tables and tables & JOURNALED.keys() <= copied


def read_table(source: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table of a database that may be damaged. Raises ArchiveDamaged, StorageFault."""
    with storage_faults(source), duckdb.connect(str(source), read_only=True) as connection:
        cursor = connection.execute(f"FROM {table}")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _tables(database: Database) -> set[str]:
    """The tables of the damaged database, except for the one that migrations fill."""
    rows = database.rows("SELECT table_name AS name FROM duckdb_tables() WHERE database_name = 'damaged'")
    return {row["name"] for row in rows} - {"schema_version"}


def _check_version(source: Path, database: Database) -> None:
    try:
        (row,) = database.rows("SELECT max(version) AS version FROM damaged.schema_version")
    except ArchiveDamaged:
        return
    if (row["version"] or 0) > migrations()[-1].version:
        raise ArchiveTooNew(f"{source} has schema version {row['version']}: update seogo.")


def _is_copied(database: Database, table: str) -> bool:
    try:
        with database.transaction():
            database.execute(f"INSERT INTO {table} BY NAME SELECT * FROM damaged.{table}")
    except ArchiveDamaged:
        return False
    return True
