"""Journal entries as bytes and back: the content of `metadata` records in the captures.

An entry is one JSON object with its kind as the only key: `{"batch_stored": {...}}`. Every field is written, also one
with its default value: an old entry must not change when a default does.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from schemas.errors import ArchiveDamaged
from schemas.journal import BatchStored, Entry, RowsRestated, RunEnded, RunStarted, TextsReassessed


@dataclass(frozen=True, slots=True)
class _RunStarted:
    run_started: RunStarted


@dataclass(frozen=True, slots=True)
class _BatchStored:
    batch_stored: BatchStored


@dataclass(frozen=True, slots=True)
class _RunEnded:
    run_ended: RunEnded


@dataclass(frozen=True, slots=True)
class _RowsRestated:
    rows_restated: RowsRestated


@dataclass(frozen=True, slots=True)
class _TextsReassessed:
    texts_reassessed: TextsReassessed


_Line = _RunStarted | _BatchStored | _RunEnded | _RowsRestated | _TextsReassessed
_LINE: TypeAdapter[_Line] = TypeAdapter(_Line)


def dump_entry(entry: Entry) -> bytes:
    """An entry as JSON in UTF-8."""
    match entry:
        case RunStarted():
            return _LINE.dump_json(_RunStarted(entry))
        case BatchStored():
            return _LINE.dump_json(_BatchStored(entry))
        case RunEnded():
            return _LINE.dump_json(_RunEnded(entry))
        case RowsRestated():
            return _LINE.dump_json(_RowsRestated(entry))
        case TextsReassessed():
            return _LINE.dump_json(_TextsReassessed(entry))


def load_entry(data: bytes, *, where: str) -> Entry:
    """The entry in `data`. Raises ArchiveDamaged; `where` is named in the message."""
    try:
        line = _LINE.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise ArchiveDamaged(f"{where}: no journal entry that this seogo can read ({at}: {first['msg']}).") from error
    match line:
        case _RunStarted(run_started=entry):
            return entry
        case _BatchStored(batch_stored=entry):
            return entry
        case _RunEnded(run_ended=entry):
            return entry
        case _RowsRestated(rows_restated=entry):
            return entry
        case _TextsReassessed(texts_reassessed=entry):
            return entry
