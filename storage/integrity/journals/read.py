"""All captures of an archive, read once by a pool: their faults and checksums, and what their journals come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from schemas.page import CaptureRef
from storage.captures.homes.store import capture_store
from storage.captures.reader import capture_names
from storage.database.writer import Row
from storage.executor import HERE, Pool
from storage.integrity.journals.contents import FileContents, read_contents
from storage.integrity.journals.fold import Fold
from storage.integrity.journals.sums import EventSums
from storage.journal.recovery import in_order

_TASK_BYTES, _TASK_FILES = 8 * 1024 * 1024, 100
"""A task is one file, or as many small ones as have so many bytes."""


_LARGE = 48 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the captures has been read: files and bytes, and how many there are."""

    files: int
    of_files: int
    bytes: int
    of_bytes: int


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Show nothing."""


@dataclass(slots=True)
class Journals:
    """What was read: the files without their entries, by name, and what the entries come to."""

    fold: Fold
    events: EventSums
    files: dict[str, FileContents] = field(default_factory=dict)

    def add(self, contents: FileContents) -> None:
        """Take in the next file."""
        self.fold.add(contents)
        contents.forget_entries()
        self.files[contents.name] = contents

    def has(self, ref: CaptureRef) -> bool:
        """Whether there is a whole record at `ref`, to which a row may refer."""
        return ref.file in self.files and self.files[ref.file].has(ref.offset)

    @property
    def records(self) -> int:
        """The number of records to which rows may refer."""
        return sum(len(contents.kept) for contents in self.files.values())


class JournalReader:
    """Reads the journals of the archive at `root`; when asked again, only the files that have been added since."""

    def __init__(self, root: Path, *, pool: Pool = HERE, on_progress: OnProgress = ignore_progress) -> None:
        self.root = root
        self.pool = pool
        self._on_progress = on_progress
        self._journals: Journals | None = None

    def journals(self, observe: Observe | None = None) -> Journals:
        """All journals. `observe` gets every file, the rows of its entries, and the events, so all are read."""
        names = in_order(self.root, capture_names(self.root))
        found = self._journals
        if found is None or observe is not None or not self._is_beginning(list(found.files.values()), names):
            self._journals = None  # so that both are never in memory
            found = new_journals(observe)
        new = names[len(found.files) :]
        to = observe.folder if observe is not None else None
        for contents in contents_of(self.root, new, pool=self.pool, on_progress=self._on_progress, rows_to=to):
            if observe is not None:
                observe.file(contents)
            found.add(contents)
        found.fold.finish()
        pa.default_memory_pool().release_unused()
        self._journals = found
        return found

    def _is_beginning(self, read: Sequence[FileContents], names: Sequence[str]) -> bool:
        """Whether these files are the first of those that are there, and unchanged."""
        sizes = capture_store(self.root).sizes()
        same = [contents.name for contents in read] == list(names[: len(read)])
        return same and all(sizes.get(one.name) == one.bytes for one in read)


class Observe(Protocol):
    """Takes in what is read, for a rebuild. The rows of a file are in `folder` before it is taken in."""

    folder: Path

    def file(self, contents: FileContents) -> None:
        """The next file."""

    def events(self, rows: Sequence[Row]) -> None:
        """Rows of `events`, in order."""


def new_journals(observe: Observe | None) -> Journals:
    """Journals of which nothing has been read yet."""
    events = EventSums()

    def on_events(rows: Sequence[Row]) -> None:
        events.add(rows)
        if observe is not None:
            observe.events(rows)

    return Journals(Fold(on_events), events)


def contents_of(
    root: Path,
    names: Sequence[str],
    *,
    pool: Pool,
    on_progress: OnProgress = ignore_progress,
    rows_to: Path | None = None,
) -> Iterator[FileContents]:
    """The contents of these captures, in order."""
    every = capture_store(root).sizes()
    sizes = {name: every.get(name, 0) for name in names}
    read, total = 0, sum(sizes.values())
    parts = pool.map(partial(read_contents, root, rows_to=rows_to), tasks(names, sizes))
    for number, contents in enumerate(chain.from_iterable(parts), 1):
        read += contents.bytes
        yield contents
        on_progress(Progress(number, len(names), read, max(total, read)))


def is_large(root: Path) -> bool:
    """Whether to read the captures takes longer than the start of processes, which takes half a second."""
    return sum(capture_store(root).sizes().values()) >= _LARGE


def tasks(names: Sequence[str], sizes: dict[str, int]) -> Iterator[list[str]]:
    """The files, in order, in groups for one task each."""
    group: list[str] = []
    for name in names:
        if group and (sum(map(sizes.__getitem__, group)) + sizes[name] > _TASK_BYTES or len(group) == _TASK_FILES):
            yield group
            group = []
        group.append(name)
    if group:
        yield group
