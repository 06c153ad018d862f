"""The export as a bundle: the articles' Markdown files as they lie in the archive, in one zip, with an index.

index.md                                  the months, and how many articles each has
index/2025-12.md                          its articles, oldest first, with links to their files; those that are only
                                          listed (they have no file) with links to Naver
articles/2025/12/30/119_0003042504.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import duckdb

from schemas.article import SEOUL
from schemas.errors import ArchiveDamaged
from schemas.front_matter import dumps, in_style, loads
from schemas.front_matter.styles import Style
from schemas.safe_text import escape_markdown
from storage.exports.folder import ExportFile
from storage.exports.records import UNDATED, stream
from storage.files import inside

NAME = "articles.zip"
STRICT_NAME = "articles-strict.zip"

_COLUMNS = "file, title, publisher, published_at, id, url"
_INDEXED = "FROM articles WHERE file IS NOT NULL OR (status = 'listed' AND on_topic IS NOT FALSE)"
_ROWS = f"SELECT {_COLUMNS} {_INDEXED} ORDER BY published_at NULLS LAST, id"
_HASHED = f"hash({_COLUMNS}, file_sha256)"
_FINGERPRINT = f"SELECT count(file), bit_xor({_HASHED}), sum({_HASHED}::HUGEINT) {_INDEXED}"


def pieces(
    connection: duckdb.DuckDBPyConnection, archive: Path, name: str = NAME, style: Style | None = None
) -> list[ExportFile]:
    """One file. `style`: that of the Markdown files; None: as they are in the archive."""
    ((count, mixed, total),) = connection.execute(_FINGERPRINT).fetchall()
    fingerprint = f"2-{duckdb.__version__}-{count}-{mixed or 0:x}-{total or 0:x}"
    return [ExportFile(name, count, fingerprint, partial(_write, connection, archive, style))]


strict_pieces = partial(pieces, name=STRICT_NAME, style="strict")


def _write(connection: duckdb.DuckDBPyConnection, archive: Path, style: Style | None, path: Path) -> None:
    counts: dict[str, int] = {}
    # That a folder lies in the archive is looked up once for all its files: it takes longer than to read one.
    folder = cache(partial(_folder, archive))
    with ZipFile(path, "w") as bundle:
        for month, rows in groupby(stream(connection, _ROWS), key=_month):
            lines = [_add(bundle, folder, row, style) for row in rows]
            counts[month] = len(lines)
            store(bundle, f"index/{month}.md", "\n".join([f"# {month}", "", *lines, ""]).encode())
        store(bundle, "index.md", "\n".join(_index(counts)).encode())


def _month(row: tuple[Any, ...]) -> str:
    published = row[3]
    return f"{published.astimezone(SEOUL):%Y-%m}" if published else UNDATED


def _add(bundle: ZipFile, folder: Callable[[str], Path], row: tuple[Any, ...], style: Style | None) -> str:
    """Put an article's file into the bundle, if it has one. Returns its line of the index."""
    file, title, publisher, published, article_id, url = row
    if file is not None:
        _add_file(bundle, folder, file, style)
    day = f"{published.astimezone(SEOUL):%Y-%m-%d %H:%M} " if published else ""
    link = f"[{escape_markdown(title or article_id)}]({f'../{file}' if file else url})"
    return f"- {day}{link} {escape_markdown(publisher or '')}{'' if file else ' (listed)'}".rstrip()


def _add_file(bundle: ZipFile, folder: Callable[[str], Path], file: str, style: Style | None) -> None:
    parent, _, name = file.rpartition("/")
    try:
        data = (folder(parent) / name).read_bytes()
    except FileNotFoundError as error:
        raise ArchiveDamaged(f"{file} is missing: the bundle was not made. Run: seogo repair") from error
    store(bundle, file, styled(data, style))


def styled(data: bytes, style: Style | None) -> bytes:
    """A Markdown file of the archive in another style; None: as it is."""
    return data if style is None else dumps(in_style(loads(data.decode()), style)).encode()


def _folder(archive: Path, name: str) -> Path:
    """A folder of the archive."""
    return inside(archive, f"{name}/file").parent


def store(bundle: ZipFile, name: str, data: bytes) -> None:
    """Add a file to a bundle, without the moment of packing: the same articles give the same bytes."""
    entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, 3, 0o644 << 16
    bundle.writestr(entry, data)


def _index(counts: dict[str, int]) -> Iterator[str]:
    yield "# Articles"
    yield ""
    for month, count in reversed(counts.items()):
        yield f"- [{month}](index/{month}.md): {count:,}"
    yield ""
