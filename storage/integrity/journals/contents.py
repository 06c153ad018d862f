"""What a WARC file holds, for all checks: read once, by a pure function of the file that any process can call."""

from __future__ import annotations

from array import array
from bisect import bisect_left
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
from storage.integrity.journals.digests import Digests, hasher
from storage.integrity.journals.keys import BatchKeys, EntryKeys, KeyMaker
from storage.integrity.journals.rows import RowFiles
from storage.journal.entries import load_entry
from storage.journal.recovery import WANTED

KEPT_KINDS = frozenset({"response", "resource", "revisit"})
"""Records to which rows refer."""

_ROWS_AT_ONCE = 1_000
"""Results whose rows are hashed together."""


@dataclass(slots=True)
class FileContents:
    """A WARC file: its size, checksum and number of records, and its faults in words.

    `kept`: the offsets of the records to which rows may refer, ascending. `entries`: the keys of its entries;
    `digests`: those of the rows of these, by table.
    `answers`: offset, URL and time of articles' pages that no entry of the file mentions.
    """

    name: str
    bytes: int
    sha256: str
    records: int = 0
    faults: list[str] = field(default_factory=list)
    kept: array[int] = field(default_factory=lambda: array("Q"))
    answers: list[tuple[int, str, datetime]] = field(default_factory=list)
    entries: list[EntryKeys] = field(default_factory=list)
    digests: dict[str, Digests] = field(default_factory=dict)

    def has(self, offset: int) -> bool:
        """Whether a record to which rows may refer begins there."""
        at = bisect_left(self.kept, offset)
        return at < len(self.kept) and self.kept[at] == offset

    def forget_entries(self) -> None:
        """Keep only what the checks of captures need."""
        self.entries, self.answers, self.digests = [], [], {}


def read_contents(root: Path, names: Sequence[str], *, rows_to: Path | None = None) -> list[FileContents]:
    """The contents of these WARC files. `rows_to`: a folder for the rows of their entries, see `rows`."""
    return [_contents(root, name, rows_to) for name in names]


def _contents(root: Path, name: str, rows_to: Path | None) -> FileContents:
    with capture_store(root).whole(name) as path:
        if rows_to is None:
            return _Reading(path, name, None).contents()
        with RowFiles(rows_to, name) as files:
            return _Reading(path, name, files).contents()


class _Reading:
    """One file while it is read."""

    def __init__(self, path: Path, name: str, files: RowFiles | None) -> None:
        self._found = FileContents(name, path.stat().st_size, sha256_of(path))
        self._items = scan_file(path, name)
        self._answers: dict[CaptureRef, ScannedRecord] = {}
        self._waiting: list[Entry] = []
        self._maker = KeyMaker(hasher(), files)

    def contents(self) -> FileContents:
        found = self._found
        for item in self._items:
            fault = item if isinstance(item, str) else self._take(item)
            if fault is not None:
                found.faults.append(fault)
        self._flush()
        found.answers = [(ref.offset, met.url, met.date) for ref, met in self._answers.items()]
        found.digests = self._maker.digests()
        return found

    def _take(self, met: ScannedRecord) -> str | None:
        """Note a record. Returns a fault, if it is an entry that cannot be read."""
        self._found.records += 1
        if met.kind in KEPT_KINDS:
            self._found.kept.append(met.ref.offset)
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
