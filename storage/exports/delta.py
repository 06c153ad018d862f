"""The articles as a Delta table, which follows the change feed.

Each commit merges the articles of some changes, as they are now, and stores the cursor of the last of these changes in
the same transaction: a publication that is killed is continued, and no change is applied twice or left out.

Needs the extra `delta` (deltalake).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from schemas.errors import BadInput, ObjectStoreFault, ObjectStoreUnavailable
from schemas.exported import COLUMNS
from storage.exports.changes import ARTICLE_TYPES
from storage.exports.records import chosen_table, open_for_export
from storage.objects.address import StoreAddress, parse_address
from storage.reading.changes import first_run
from storage.reading.reader import newest_change
from storage.scratch import scratch_folder

if TYPE_CHECKING:
    from deltalake import DeltaTable

TABLE = "delta/articles"
"""Where the table is, below the address of the exports."""

AT_ONCE = 10_000
"""Changes in one commit."""

_APPLICATION = "seogo"
_COMPACT_AT = 16
_KEPT_HOURS = 7 * 24
_RETRIES = {"max_retries": "3", "retry_timeout": "60s"}
_SCHEMA = pa.schema([(name, ARTICLE_TYPES.get(name, pa.string())) for name in COLUMNS])
_GONE = "_removed"


@dataclass(frozen=True, slots=True)
class DeltaExport:
    """The result: where the table is, the cursor before and after, and how many commits there were."""

    address: str
    since: int
    cursor: int
    commits: int

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return self.commits > 0


def export_delta(archive: Path, address: str) -> DeltaExport:
    """Bring the table up to date with the archive's snapshot, then compact and vacuum it where it pays.

    Raises BadInput (also if the table is of another archive), ArchiveDamaged, ObjectStoreFault.
    """
    where = parse_address(address).below(TABLE)
    with (
        scratch_folder(archive) as spill,
        open_for_export(archive, spill) as connection,
        _delta_faults(where),
    ):
        table = _opened(where, first_run(connection) or "")
        since = cursor = table.transaction_version(_APPLICATION) or 0
        if cursor > (newest := newest_change(connection)):
            raise BadInput(f"{where} has a newer state (cursor {cursor}) than this archive ({newest}).")
        commits = 0
        for ids, cursor in _slices(connection, since):
            _merge(table, chosen_table(connection, ids), ids, cursor)
            commits += 1
        if commits:
            _tidy(table)
    return DeltaExport(str(where), since, cursor, commits)


def _opened(where: StoreAddress, archive: str) -> DeltaTable:
    from deltalake import DeltaTable

    uri, options = _location(where)
    about = f"seogo archive {archive}"
    if not DeltaTable.is_deltatable(uri, storage_options=options):
        DeltaTable.create(uri, _SCHEMA, mode="ignore", name="articles", description=about, storage_options=options)
    table = DeltaTable(uri, storage_options=options)
    if table.metadata().description != about:
        raise BadInput(f"{where} has the articles of another archive. Choose another prefix.")
    return table


def _location(where: StoreAddress) -> tuple[str, dict[str, str]]:
    if where.scheme == "file":
        Path("/", where.prefix).mkdir(parents=True, exist_ok=True)
        return f"/{where.prefix}", {}
    return str(where), {name: value for name, value in os.environ.items() if name.startswith("AWS_")} | _RETRIES


def _slices(connection: duckdb.DuckDBPyConnection, since: int) -> Iterator[tuple[list[str], int]]:
    """The ids that some changes are about, and the cursor of the last of these changes."""
    sql = "SELECT seq, id, duplicate_of FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
    while rows := connection.execute(sql, [since, AT_ONCE]).fetchall():
        since = rows[-1][0]
        yield sorted({id_ for _, *ids in rows for id_ in ids if id_ is not None}), since


def _merge(table: DeltaTable, articles: pa.Table, ids: Sequence[str], cursor: int) -> None:
    """Insert, update or delete these articles, in one transaction with the cursor."""
    from deltalake import CommitProperties, Transaction

    there = set(articles.column("id").to_pylist())
    removed = [{"id": id_} for id_ in ids if id_ not in there]
    source = pa.concat_tables([articles.cast(_SCHEMA), pa.Table.from_pylist(removed, _SCHEMA)])
    marks = pa.array([False] * len(articles) + [True] * len(removed), pa.bool_())
    values = {name: f"source.{name}" for name in COLUMNS}
    (
        table.merge(
            source.append_column(_GONE, marks),
            "target.id = source.id",
            source_alias="source",
            target_alias="target",
            commit_properties=CommitProperties(app_transactions=[Transaction(_APPLICATION, cursor)]),
        )
        .when_matched_delete(f"source.{_GONE}")
        .when_matched_update(values, f"NOT source.{_GONE}")
        .when_not_matched_insert(values, f"NOT source.{_GONE}")
        .execute()
    )


def _tidy(table: DeltaTable) -> None:
    """Compact the table if it has many files, and delete files that no reader of the last week can need."""
    if len(table.file_uris()) >= _COMPACT_AT:
        table.optimize.compact()
    table.vacuum(_KEPT_HOURS, dry_run=False, full=True)  # also what no version names: left by a killed update


@contextmanager
def _delta_faults(where: StoreAddress) -> Iterator[None]:
    """Turn the library's errors into ours, without their messages: these may contain what a server answered."""
    try:
        from deltalake.exceptions import CommitFailedError, DeltaError
    except ImportError as error:
        raise BadInput(f"{where}: Delta tables need an extra: pip install 'seogo[delta]'.") from error
    try:
        yield
    except CommitFailedError:
        raise ObjectStoreUnavailable(f"{where}: another process wrote to the table. Publish again.") from None
    except (DeltaError, OSError) as error:
        raise ObjectStoreFault(
            f"{where}: the Delta table cannot be read or written ({type(error).__name__})."
        ) from None
