"""Journal entries as bytes and back: the content of `metadata` records in the captures."""

from __future__ import annotations

from pydantic import ValidationError

from schemas.errors import ArchiveDamaged, ArchiveTooNew
from schemas.journal import BatchStored, Entry, PairsFound, RowsRestated, RunEnded, RunStarted, TextsReassessed
from storage.tagged_json import TaggedJson, UnknownKind

_JSON = TaggedJson[Entry](
    {
        "run_started": RunStarted,
        "batch_stored": BatchStored,
        "run_ended": RunEnded,
        "rows_restated": RowsRestated,
        "texts_reassessed": TextsReassessed,
        "pairs_found": PairsFound,
    }
)


def dump_entry(entry: Entry) -> bytes:
    """An entry as JSON in UTF-8."""
    return _JSON.dump(entry)


def load_entry(data: bytes, *, where: str) -> Entry:
    """The entry in `data`. Raises ArchiveDamaged, and ArchiveTooNew for one of a newer seogo, which name `where`."""
    try:
        return _JSON.load(data)
    except UnknownKind as kind:
        raise ArchiveTooNew(
            f"{where}: an entry of the kind {kind}, which only a newer seogo reads: update seogo."
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise ArchiveDamaged(f"{where}: no journal entry that this seogo can read ({at}: {first['msg']}).") from error
