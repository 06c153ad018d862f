"""What changed behind a cursor, as a file for downstream tools: JSON lines, Parquet, or the changed Markdown files.

    changes-{since}-{cursor}.jsonl      a change a line (schemas/exported/change.schema.json)
    changes-{since}-{cursor}.parquet    the same, the article's fields as columns of their own
    changes-{since}-{cursor}.zip        changes.jsonl without the texts, and the Markdown files that still exist
                                        (with markdown-strict, in the strict style)

A file is renamed into place when it is whole. The same cursor gives the same changes again, so that a consumer which
crashed before it kept the new cursor sees nothing twice: it takes in the same file once more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.article import SEOUL
from schemas.errors import BadInput
from schemas.exported import COLUMNS, SCHEMA_VERSION, ExportedCopy
from schemas.front_matter.styles import Style
from storage.database.writer import storage_faults
from storage.exports.jsonl import line
from storage.exports.markdown import store, styled
from storage.files import inside, make_folder, own_part, replacing
from storage.layout import check_utf8
from storage.reading.changes import Change, changes
from storage.reading.reader import newest_change, open_snapshot

FORMS = {"jsonl": "jsonl", "parquet": "parquet", "markdown": "zip", "markdown-strict": "zip"}
"""The formats, and how their files end."""

_ROWS = 5_000
_TIMES = frozenset({"published_at", "modified_at", "crawled_at", "gone_at"})
_TEXTS = frozenset({"categories", "reasons", "teams"})
_COPY = pa.struct([(name, pa.string()) for name in ExportedCopy.model_fields])
ARTICLE_TYPES: dict[str, pa.DataType] = {
    "authors": pa.list_(pa.struct([("name", pa.string()), ("email", pa.string())])),
    "images": pa.list_(pa.struct([("url", pa.string()), ("caption", pa.string())])),
    "models": pa.list_(pa.struct([("team", pa.string()), ("model", pa.string())])),
    "duplicates": pa.list_(_COPY),
    "on_topic": pa.bool_(),
    "revision": pa.int32(),
    "relevance": pa.float64(),
    **dict.fromkeys(_TIMES, pa.timestamp("us", tz="UTC")),
    **dict.fromkeys(_TEXTS, pa.list_(pa.string())),
}
"""The columns of an exported article that are not text."""
_EVENT: dict[str, pa.DataType] = {
    "seq": pa.int64(),
    "changed_at": pa.timestamp("us", tz="UTC"),
    "change": pa.string(),
    "duplicate_of": pa.string(),
    "duplicate": _COPY,
}
_SCHEMA = pa.schema(
    [*_EVENT.items(), *((name, ARTICLE_TYPES.get(name, pa.string())) for name in COLUMNS)]
).with_metadata({"seogo.record": "change", "seogo.schema_version": str(SCHEMA_VERSION)})


@dataclass(frozen=True, slots=True)
class ExportedChanges:
    """What was exported: from which cursor up to which, how many changes, into which file."""

    since: int
    cursor: int
    changes: int
    file: str


def export_changes(archive: Path, since: int, form: str, to: Path) -> ExportedChanges:
    """Write what changed behind the cursor `since` (0: everything) into the folder `to`. Raises BadInput.

    Where nothing changed, no file is written (`file` is empty), and the cursor is the same.
    """
    if form not in FORMS:
        raise BadInput(f"there are no changes in the format {form!r}: choose {', '.join(FORMS)}.")
    check_utf8(to)
    with open_snapshot(archive) as connection, storage_faults(to):
        cursor = newest_change(connection)
        counted = _Counted(changes(connection, since))
        if cursor < since:
            raise BadInput(f"cursor {since} is ahead of this archive, whose newest change is {cursor}.")
        if cursor == since:
            return ExportedChanges(since, since, 0, "")
        make_folder(to)
        target = to / f"changes-{since}-{cursor}.{FORMS[form]}"
        with replacing(target, beside=own_part(target)) as part:
            _WRITERS[form](part, counted, archive)
    return ExportedChanges(since, cursor, counted.number, str(target))


def change_lines(found: Iterable[Change]) -> Iterator[bytes]:
    """Each change as a line of JSON."""
    return (_line(change) for change in found)


def _line(change: Change) -> bytes:
    return line(json.dumps(change, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_time))


def _time(value: datetime) -> str:
    return value.astimezone(SEOUL).isoformat()


class _Counted:
    """Changes, counted as they go by."""

    def __init__(self, found: Iterator[Change]) -> None:
        self._found = found
        self.number = 0

    def __iter__(self) -> Iterator[Change]:
        for change in self._found:
            self.number += 1
            yield change


def _write_jsonl(path: Path, found: Iterable[Change], archive: Path) -> None:
    with path.open("wb") as file:
        file.writelines(change_lines(found))


def _write_parquet(path: Path, found: Iterable[Change], archive: Path) -> None:
    every = iter(found)
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        while part := list(islice(every, _ROWS)):
            writer.write_table(pa.Table.from_pylist([_flat(change) for change in part], schema=_SCHEMA))


def _flat(change: Change) -> dict[str, Any]:
    article = change["article"] or {"id": change["id"], "revision": change["revision"]}
    article = article if change["kind"] != "story" else {**article, "story": change["story"]}
    return {**article, **{name: change[name] for name in _EVENT if name in change}, "change": change["kind"]}


def _write_markdown(path: Path, found: Iterable[Change], archive: Path, style: Style | None = None) -> None:
    """The files of articles that are there now, each once, whatever happened to them in between."""
    files: dict[str, None] = {}
    with ZipFile(path, "w", ZIP_DEFLATED) as bundle:
        with bundle.open("changes.jsonl", "w") as lines:
            for change in found:
                article = change.pop("article")
                file = article and article["file"]
                files |= {file: None} if file else {}
                lines.write(_line({**change, "file": file}))
        for file in _present(archive, list(files)):
            store(bundle, file, styled((archive / file).read_bytes(), style))


def _present(archive: Path, files: Sequence[str]) -> Iterator[str]:
    return (file for file in files if inside(archive, file).is_file())


_WRITERS: dict[str, Callable[[Path, Iterable[Change], Path], None]] = {
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
    "markdown": _write_markdown,
    "markdown-strict": partial(_write_markdown, style="strict"),
}
