"""All captures of an archive, read once by a pool: their faults and checksums, and what their journals come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from schemas.page import CaptureRef
from storage.captures.reader import capture_names
from storage.executor import HERE, Pool
from storage.integrity.journals.contents import FileContents, read_contents
from storage.integrity.journals.fold import Fold
from storage.integrity.journals.sums import EventSums

_TASK_BYTES, _TASK_FILES = 8 * 1024 * 1024, 100
"""A task is one file, or as many small ones as have so many bytes."""


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
        return ref.file in self.files and ref.offset in self.files[ref.file].kept

    @property
    def records(self) -> int:
        """The number of records to which rows may refer."""
        return sum(len(contents.kept) for contents in self.files.values())


def read_journals(
    root: Path, names: Sequence[str], *, pool: Pool = HERE, on_progress: OnProgress = ignore_progress
) -> Journals:
    """Read these captures, which are in the order of `recovery.in_order`."""
    events = EventSums()
    found = Journals(Fold(events.add), events)
    for contents in contents_of(root, names, pool=pool, on_progress=on_progress):
        found.add(contents)
    found.fold.finish()
    return found


def contents_of(
    root: Path,
    names: Sequence[str],
    *,
    pool: Pool,
    on_progress: OnProgress = ignore_progress,
    with_rows: bool = False,
) -> Iterator[FileContents]:
    """The contents of these captures, in order."""
    sizes = {name: (root / name).stat().st_size for name in names}
    read, total = 0, sum(sizes.values())
    parts = pool.map(partial(read_contents, root, with_rows=with_rows), tasks(names, sizes))
    for number, contents in enumerate(chain.from_iterable(parts), 1):
        read += contents.bytes
        yield contents
        on_progress(Progress(number, len(names), read, total))


def captures_size(root: Path) -> int:
    """The bytes of all captures."""
    return sum((root / name).stat().st_size for name in capture_names(root))


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
