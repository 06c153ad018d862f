"""What a WARC file holds, for all checks: read once, by a pure function of the file that any process can call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from schemas.errors import ArchiveDamaged
from schemas.journal import BatchStored, Entry, TextsReassessed
from schemas.page import CaptureRef
from storage.captures.homes.store import capture_store
from storage.captures.reader import ScannedRecord, scan_file
from storage.files import sha256_of
from storage.integrity.journals.digests import hasher
from storage.integrity.journals.keys import BatchKeys, EntryKeys, KeyMaker
from storage.journal.entries import load_entry
from storage.journal.recovery import WANTED

KEPT_KINDS = frozenset({"response", "resource", "revisit"})
"""Records to which rows refer."""

ArrowStream = bytes

_ROWS_AT_ONCE = 1_000
"""Results whose rows are hashed together."""


@dataclass(slots=True)
class FileContents:
    """A WARC file: its size, checksum and number of records, and its faults in words.

    `kept`: the offsets of the records to which rows may refer. `entries`: the keys of its entries, `rows`: the rows of
    these, by table.
    `answers`: offset, URL and time of articles' pages that no entry of the file mentions.
    """

    name: str
    bytes: int
    sha256: str
    records: int = 0
    faults: list[str] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    answers: list[tuple[int, str, datetime]] = field(default_factory=list)
    entries: list[EntryKeys] = field(default_factory=list)
    rows: dict[str, ArrowStream] = field(default_factory=dict)

    def forget_entries(self) -> None:
        """Keep only what the checks of captures need."""
        self.entries, self.answers, self.rows = [], [], {}


def read_contents(root: Path, names: Sequence[str], *, with_rows: bool = False) -> list[FileContents]:
    """The contents of these WARC files. `with_rows`: with the rows of their entries, by table."""
    return [_contents(root, name, with_rows=with_rows) for name in names]


def _contents(root: Path, name: str, *, with_rows: bool) -> FileContents:
    with capture_store(root).whole(name) as path:
        return _Reading(path, name, with_rows=with_rows).contents()


class _Reading:
    """One file while it is read."""

    def __init__(self, path: Path, name: str, *, with_rows: bool) -> None:
        self._found = FileContents(name, path.stat().st_size, sha256_of(path))
        self._items = scan_file(path, name)
        self._answers: dict[CaptureRef, ScannedRecord] = {}
        self._waiting: list[Entry] = []
        self._maker = KeyMaker(hasher(), with_rows=with_rows)

    def contents(self) -> FileContents:
        found = self._found
        for item in self._items:
            fault = item if isinstance(item, str) else self._take(item)
            if fault is not None:
                found.faults.append(fault)
        self._flush()
        found.answers = [(ref.offset, met.url, met.date) for ref, met in self._answers.items()]
        found.rows = self._maker.rows()
        return found

    def _take(self, met: ScannedRecord) -> str | None:
        """Note a record. Returns a fault, if it is an entry that cannot be read."""
        self._found.records += 1
        if met.kind in KEPT_KINDS:
            self._found.kept.add(met.ref.offset)
        if met.kind == "response" and met.why == WANTED:
            self._answers[met.ref] = met
        if met.entry is None:
            return None
        try:
            entry = load_entry(met.entry, where=f"{met.ref.file} at {met.ref.offset}")
        except ArchiveDamaged as error:
            return str(error)
        self._waiting.append(entry)
        if sum(map(_size, self._waiting)) >= _ROWS_AT_ONCE:
            self._flush()
        return None

    def _flush(self) -> None:
        """Turn the entries that wait into their keys."""
        for keys in self._maker.keys(self._waiting):
            if isinstance(keys, BatchKeys):
                keys.taken = [ref for ref in keys.taken if self._answers.pop(ref, None) is None]
            self._found.entries.append(keys)
        self._waiting.clear()


def _size(entry: Entry) -> int:
    match entry:
        case BatchStored():
            return len(entry.results) + len(entry.texts) + 1
        case TextsReassessed():
            return len(entry.texts)
        case _:
            return 1
