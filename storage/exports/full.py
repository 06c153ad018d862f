"""Whole exports of the archive: Parquet by month, JSON lines, a Markdown bundle, an Atom feed.

    archive/exports/articles/month=2025-12/articles.parquet     parquet
    archive/exports/articles.jsonl, articles.jsonl.gz           jsonl, jsonl.gz
    archive/exports/articles.zip, articles-strict.zip           markdown, markdown-strict
    archive/exports/atom.xml                                    atom

They are read from the readers' database: a crawl may write meanwhile. A file is written again only when its articles
changed, or when it is not the file that was written any more; whole, and renamed into place. The same articles give the
same bytes. What an exported article is, says `schemas.exported`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import BadInput
from schemas.exported import SCHEMA_VERSION
from storage.database.writer import storage_faults
from storage.exports import atom, jsonl, markdown, parquet
from storage.exports.folder import ExportFile, Folder, Made, ManifestEntry, opened_folder
from storage.exports.records import open_for_export, snapshot_identity
from storage.layout import check_utf8

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
    "markdown-strict": Form(markdown.strict_pieces, markdown.STRICT_NAME),
    "atom": Form(atom.pieces, atom.NAME),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to. `written`, `removed`: names of files; `unchanged`: how many were left as they are.

    `restored`: those of the written files that were missing or altered, though their articles had not changed.
    `articles` is how many the whole export holds, `bytes` how many were written, `seconds` how long it took.
    """

    format: str
    folder: str
    articles: int
    written: tuple[str, ...]
    restored: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    bytes: int
    seconds: float

    @property
    def changed(self) -> bool:
        return bool(self.written or self.removed)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
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
    check_utf8(target)
    with opened_folder(target, wait=wait) as folder, storage_faults(target):
        identity, before = snapshot_identity(archive), folder.account(form)
        if before is not None and _is_current(folder, FORMS[form], before, identity):
            return _exported(form, folder, before, (), (), (), began)
        return _renewed(archive, form, folder, before, identity, began)


def _is_current(folder: Folder, form: Form, before: ManifestEntry, identity: list[int]) -> bool:
    """Whether nothing can have changed: the same copy of the database, and the files as they were left."""
    if (before.snapshot, before.version) != (identity, SCHEMA_VERSION):
        return False
    whole = all(folder.is_untouched(name, made) for name, made in before.files.items())
    return whole and folder.names(form.pattern) == sorted(before.files)


def _renewed(
    archive: Path, form: str, folder: Folder, before: ManifestEntry | None, identity: list[int], began: float
) -> Exported:
    made = before.files if before else {}
    with open_for_export(archive, folder.spill) as connection:
        wanted = FORMS[form].plan(connection, archive)
        same = {piece.name for piece in wanted if _is_made_of(piece, made.get(piece.name))}
        kept = {name: folder.with_time(name, made[name]) for name in same if not _problem(folder, name, made[name])}
        new = folder.put([piece for piece in wanted if piece.name not in kept])
    removed = [name for name in folder.names(FORMS[form].pattern) if name not in {**kept, **new}]
    folder.remove(removed)
    account = ManifestEntry(identity, SCHEMA_VERSION, dict(sorted({**kept, **new}.items())))
    folder.note(form, account)
    return _exported(form, folder, account, tuple(new), tuple(name for name in new if name in same), removed, began)


def _is_made_of(piece: ExportFile, made: Made | None) -> bool:
    return made is not None and made.fingerprint == piece.fingerprint


def _problem(folder: Folder, name: str, made: Made) -> str:
    """As `Folder.problem`. A file with the size and the time of the one that was written is not read."""
    return "" if folder.is_untouched(name, made) else folder.problem(name, made)


def _exported(
    form: str,
    folder: Folder,
    account: ManifestEntry,
    written: Sequence[str],
    restored: Sequence[str],
    removed: Sequence[str],
    began: float,
) -> Exported:
    return Exported(
        format=form,
        folder=str(folder.path),
        articles=sum(made.articles for made in account.files.values()),
        written=tuple(written),
        restored=tuple(restored),
        removed=tuple(removed),
        unchanged=len(account.files) - len(written),
        bytes=sum(account.files[name].bytes for name in written),
        seconds=time.monotonic() - began,
    )


def export_faults(archive: Path, *, wait: float = 0.0) -> list[str]:
    """A sentence for each file among the archive's own exports that is not, byte for byte, the one that was written.

    It is marked in the manifest, so that the next export compares it with its checksum, and writes it again. Waits up
    to `wait` seconds for another export. Raises ArchiveBusy, StorageFault.
    """
    path = archive / FOLDER
    if not path.is_dir():
        return []
    with opened_folder(path, wait=wait) as folder, storage_faults(path):
        return [fault for form in FORMS for fault in _faults_of(folder, form)]


def _faults_of(folder: Folder, form: str) -> list[str]:
    entry = folder.account(form)
    files = entry.files if entry else {}
    # A file without a checksum is as old as the manifest that lacks it: the next export writes it again.
    checked = {name: folder.problem(name, made) for name, made in files.items() if made.sha256}
    problems = {name: problem for name, problem in checked.items() if problem}
    if entry and problems:
        marked = {name: replace(made, modified_ns=0) if name in problems else made for name, made in files.items()}
        folder.note(form, replace(entry, files=marked))
    strays = {name: "no export wrote it" for name in folder.names(FORMS[form].pattern) if name not in files}
    found = sorted({**problems, **strays}.items())
    return [f"export {FOLDER}/{name}: {problem}. Run: seogo publish --format {form}" for name, problem in found]
