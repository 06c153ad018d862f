"""Markdown files: staged before the commit, renamed into place after it.

stage          writes them to the staging directory, and syncs them
put_in_place   renames them to their final paths
finish_staged  does so after a killed run, for the files whose rows were committed, and deletes the others
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

from schemas.article import Article
from schemas.errors import StorageFault
from schemas.find import FindResult
from schemas.front_matter import dumps, from_article
from schemas.front_matter.styles import Style
from storage.captures.writer import write_all
from storage.database.writer import Database
from storage.files import inside, make_folder, sync_folder
from storage.layout import path_of

Move = tuple[Path, Path]
"""The staged file, and its place in the archive."""

_AT_ONCE = 32
"""Files that are written before the first of them is synced: a file system commits them together, in half the time."""


def shown(result: FindResult) -> Article | None:
    """The article in a result's Markdown file; None if it has no file."""
    return result.article if result.revision_kind is not None else None


def markdown(result: FindResult, style: Style) -> bytes:
    """The Markdown file of a result that has an article and `crawled_at`; the one with its checksum if it has one."""
    article = shown(result)
    assert article is not None and result.crawled_at is not None  # noqa: S101, PT018  the pipeline's own promise
    data = dumps(from_article(article, result.crawled_at, style=style)).encode()
    if result.file_sha256 in (None, hashlib.sha256(data).hexdigest()):
        return data
    older = dumps(from_article(article, result.crawled_at, style=style, zones=False)).encode()
    return older if hashlib.sha256(older).hexdigest() == result.file_sha256 else data


def placed(result: FindResult, style: Style) -> tuple[FindResult, bytes | None]:
    """The result with path and checksum of its Markdown file (a path that it has stays), and the file's content."""
    article = shown(result)
    if article is None:
        return result, None
    file, data = result.file or path_of(article.key, article.published_at), markdown(result, style)
    return replace(result, file=file, file_sha256=hashlib.sha256(data).hexdigest()), data


def stage(
    root: Path, run_id: str, results: Sequence[FindResult], style: Style, files: Sequence[bytes | None] = ()
) -> list[Move]:
    """Write the files of placed results below `state/staged`, and sync them. `files`: their contents if known."""
    folder, folders = root / "state" / "staged" / run_id, set[Path]()
    moves: list[Move] = []
    contents: list[bytes] = []
    for result, data in zip_longest(results, files):
        if (article := shown(result)) is not None and result.file is not None:
            moves.append((folder / f"{article.id}.{result.revision}.md", inside(root, result.file, folders)))
            contents.append(data or markdown(result, style))
    for at in range(0, len(moves), _AT_ONCE):
        _write_synced([staged for staged, _ in moves[at : at + _AT_ONCE]], contents[at : at + _AT_ONCE])
    if moves:
        sync_folder(folder)
    return moves


def put_in_place(moves: Sequence[Move]) -> None:
    """Rename staged files to their final paths. A reader sees either the old file or the new one."""
    folders = {final.parent for _, final in moves}
    for folder in folders:
        make_folder(folder)
    for staged, final in moves:
        staged.replace(final)
    for folder in folders:
        sync_folder(folder)


def remove_staging(root: Path, run_id: str) -> None:
    """Remove the run's folder of staged files if it is empty."""
    folder = root / "state" / "staged" / run_id
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def finish_staged(root: Path, db: Database) -> str | None:
    """Put in place, or delete, the staged files of a killed run. Returns a note if there were any."""
    staged = sorted((root / "state" / "staged").glob("*/*.md"))
    moves = _committed(root, db, staged) if staged else []
    put_in_place(moves)
    for path in staged:
        path.unlink(missing_ok=True)  # those without a committed row
    for folder in (root / "state" / "staged").iterdir():
        remove_staging(root, folder.name)
    return f"finished {len(moves)} of {len(staged)} files that a killed run left staged" if staged else None


def _committed(root: Path, db: Database, staged: Sequence[Path]) -> list[Move]:
    """The moves for those staged files whose row was committed."""
    rows = {
        row["id"]: row
        for row in db.lookup(
            [path.name.split(".")[0] for path in staged],
            "SELECT id, run_id, revision, file FROM articles WHERE id IN (SELECT id FROM wanted)",
        )
    }
    moves = []
    for path in staged:
        article_id, revision, _ = path.name.split(".")
        row = rows.get(article_id)
        if row and (row["run_id"], str(row["revision"])) == (path.parent.name, revision):
            moves.append((path, inside(root, row["file"])))
    return moves


def _write_synced(paths: Sequence[Path], contents: Sequence[bytes]) -> None:
    with ExitStack() as closing:
        files: list[BinaryIO] = []
        for path, data in zip(paths, contents, strict=True):
            with _storage_faults(path):
                make_folder(path.parent)
                files.append(closing.enter_context(path.open("wb", buffering=0)))
                _fill(files[-1], data)
        for path, file in zip(paths, files, strict=True):
            with _storage_faults(path):
                os.fsync(file.fileno())


def _fill(file: BinaryIO, data: bytes) -> None:
    """Write the content of a file, and let the disk begin with it."""
    write_all(file, data)
    if hasattr(os, "posix_fadvise"):  # not on macOS
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def _storage_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFault(
            f"{path}: {error.strerror}. Free space, then run again: nothing committed is lost."
        ) from error
