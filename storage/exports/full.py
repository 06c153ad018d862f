"""Whole exports of the archive: Parquet by month, JSON lines, a Markdown bundle, an Atom feed.

    archive/exports/articles/month=2025-12/articles.parquet     parquet
    archive/exports/articles.jsonl, articles.jsonl.gz           jsonl, jsonl.gz
    archive/exports/articles.zip                                markdown
    archive/exports/atom.xml                                    atom

They are read from the readers' database: a crawl may write meanwhile. A file is written again only when its articles
changed, whole, and renamed into place; the same articles give the same bytes. What an exported article is, says
`schemas.exported`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import BadInput
from schemas.exported import SCHEMA_VERSION
from storage.database.writer import storage_faults
from storage.exports import atom, jsonl, markdown, parquet
from storage.exports.folder import ExportFile, Folder, Made, ManifestEntry, opened_folder
from storage.exports.records import open_for_export, snapshot_identity

FOLDER = "exports"
"""Where exports lie in an archive, if nobody says otherwise."""

Plan = Callable[[duckdb.DuckDBPyConnection, Path], list[ExportFile]]


@dataclass(frozen=True, slots=True)
class Form:
    """A format: the files that it wants of a database and an archive, and the pattern of all that it may ever want."""

    plan: Plan
    pattern: str


FORMS: dict[str, Form] = {
    "parquet": Form(parquet.pieces, parquet.PATTERN),
    "jsonl": Form(jsonl.pieces, jsonl.NAME),
    "jsonl.gz": Form(jsonl.packed_pieces, jsonl.PACKED_NAME),
    "markdown": Form(markdown.pieces, markdown.NAME),
    "atom": Form(atom.pieces, atom.NAME),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to. `written`, `removed`: names of files; `unchanged`: how many were left as they are.

    `articles` is how many the whole export holds, `bytes` how many were written, `seconds` how long it took.
    """

    format: str
    folder: str
    articles: int
    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    bytes: int
    seconds: float

    @property
    def changed(self) -> bool:
        return bool(self.written or self.removed)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        plain = asdict(self) | {"written": list(self.written), "removed": list(self.removed)}
        return plain | {"changed": self.changed, "seconds": round(self.seconds, 3)}


def export(archive: Path, form: str, to: Path | None = None, *, wait: float = 0.0) -> Exported:
    """Bring the export of an archive in one of FORMS up to date, in `to` (else in the archive's own folder).

    Waits up to `wait` seconds for another export into the same folder. Raises BadInput, ArchiveBusy, ArchiveDamaged,
    StorageFault.
    """
    began = time.monotonic()
    if form not in FORMS:
        raise BadInput(f"there is no export in the format {form!r}: choose {', '.join(FORMS)}.")
    snapshot_identity(archive)  # before a folder is made for what is no archive
    target = to or archive / FOLDER
    with opened_folder(target, wait=wait) as folder, storage_faults(target):
        identity, before = snapshot_identity(archive), folder.account(form)
        if before is not None and _is_current(folder, FORMS[form], before, identity):
            return _exported(form, folder, before, (), (), began)
        return _renewed(archive, form, folder, before, identity, began)


def _is_current(folder: Folder, form: Form, before: ManifestEntry, identity: list[int]) -> bool:
    """Whether nothing can have changed: the same copy of the database, and the files as they were left."""
    if (before.snapshot, before.version) != (identity, SCHEMA_VERSION):
        return False
    whole = all(folder.holds(name, made) for name, made in before.files.items())
    return whole and folder.names(form.pattern) == sorted(before.files)


def _renewed(
    archive: Path, form: str, folder: Folder, before: ManifestEntry | None, identity: list[int], began: float
) -> Exported:
    made = before.files if before else {}
    with open_for_export(archive, folder.spill) as connection:
        wanted = FORMS[form].plan(connection, archive)
        stale = [piece for piece in wanted if not _is_made(folder, piece, made.get(piece.name))]
        new = folder.put(stale)
    names = {piece.name for piece in wanted}
    removed = [name for name in folder.names(FORMS[form].pattern) if name not in names]
    folder.remove(removed)
    files = {name: new.get(name) or made[name] for name in sorted(names)}
    account = ManifestEntry(identity, SCHEMA_VERSION, files)
    folder.note(form, account)
    return _exported(form, folder, account, tuple(new), removed, began)


def _is_made(folder: Folder, piece: ExportFile, made: Made | None) -> bool:
    return made is not None and made.fingerprint == piece.fingerprint and folder.holds(piece.name, made)


def _exported(
    form: str, folder: Folder, account: ManifestEntry, written: Sequence[str], removed: Sequence[str], began: float
) -> Exported:
    return Exported(
        format=form,
        folder=str(folder.path),
        articles=sum(made.articles for made in account.files.values()),
        written=tuple(written),
        removed=tuple(removed),
        unchanged=len(account.files) - len(written),
        bytes=sum(account.files[name].bytes for name in written),
        seconds=time.monotonic() - began,
    )
