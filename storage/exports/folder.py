"""The folder of exports: what lies there and of what it was made, and files put there whole or not at all.

exports/articles/…  articles.jsonl  …     what others read
exports/.state/                           lock, manifest, files on their way: nobody else looks there
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from schemas.errors import ArchiveDamaged, StorageFault
from storage.files import make_folder, sha256_of, sync_file, sync_folder
from storage.state import json_file
from storage.state.lease import lease


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file of an export, by its name in the folder. The same fingerprint means the same bytes."""

    name: str
    articles: int
    fingerprint: str
    write: Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was written: of what, how many bytes, their checksum, and the file's time of modification.

    `modified_ns`: 0 if the file has to be compared with its checksum. No checksum: it was written before there was one.
    """

    fingerprint: str
    articles: int
    bytes: int
    sha256: str = ""
    modified_ns: int = 0


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """What the manifest says of one format: the copy of the database that was read last, and the files made of it."""

    snapshot: list[int]
    version: int
    files: Mapping[str, Made]

    @classmethod
    def loads(cls, value: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError, ValueError, AttributeError for what no manifest holds."""
        files = {name: Made(**made) for name, made in value["files"].items()}
        return cls(list(value["snapshot"]), int(value["version"]), files)


class Folder:
    """A folder of exports that this process may write to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spill = path / ".state" / "spill"
        self._staged = path / ".state" / "staged"
        self._manifest = path / ".state" / "manifest.json"

    def account(self, form: str) -> ManifestEntry | None:
        """The manifest entry of a format; None if it is missing or damaged: then all files are written."""
        try:
            return json_file.load(self._manifest, lambda known: ManifestEntry.loads(known[form]))
        except ArchiveDamaged:
            return None

    def note(self, form: str, account: ManifestEntry) -> None:
        """Put a format's account into the manifest."""
        try:
            known = json_file.load(self._manifest, dict) or {}
        except ArchiveDamaged:
            known = {}
        json_file.save(self._manifest, {**known, form: asdict(account)}, indent=1)

    def is_untouched(self, name: str, made: Made) -> bool:
        """Whether a file is there, with the size and the time of modification with which it was written."""
        path = self.path / name
        return path.is_file() and (path.stat().st_size, path.stat().st_mtime_ns) == (made.bytes, made.modified_ns)

    def problem(self, name: str, made: Made) -> str:
        """How a file differs from the one that was written, byte for byte; empty if it does not. Reads the file."""
        path = self.path / name
        if not path.is_file():
            return "missing"
        return "" if sha256_of(path) == made.sha256 else "altered since it was written"

    def with_time(self, name: str, made: Made) -> Made:
        """The entry of a file that has been copied or touched, with the file's time of modification."""
        return replace(made, modified_ns=(self.path / name).stat().st_mtime_ns)

    def names(self, pattern: str) -> list[str]:
        """The files that match a pattern, by name."""
        return sorted(path.relative_to(self.path).as_posix() for path in self.path.glob(pattern) if path.is_file())

    def put(self, pieces: Sequence[ExportFile]) -> dict[str, Made]:
        """Write and sync all of these as temporary files, then rename them into place."""
        self._clear()
        made = {piece.name: self._stage(number, piece) for number, piece in enumerate(pieces)}
        for number, piece in enumerate(pieces):
            target = self.path / piece.name
            make_folder(target.parent)
            self._beside(number).replace(target)
            sync_folder(target.parent)
        self._clear()
        return made

    def remove(self, names: Sequence[str]) -> None:
        """Remove files, and folders that are empty without them."""
        for name in names:
            path = self.path / name
            path.unlink(missing_ok=True)
            if path.parent != self.path and not any(path.parent.iterdir()):
                path.parent.rmdir()

    def _stage(self, number: int, piece: ExportFile) -> Made:
        path = self._beside(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        piece.write(path)
        sync_file(path)
        found = path.stat()
        return Made(piece.fingerprint, piece.articles, found.st_size, sha256_of(path), found.st_mtime_ns)

    def _beside(self, number: int) -> Path:
        # Neither the name nor the ending of an exported file: who reads a tree reads every .parquet below it.
        return self._staged / f"{number:06}.part"

    def _clear(self) -> None:
        for folder in (self._staged, self.spill):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def opened_folder(path: Path, *, wait: float = 0.0) -> Iterator[Folder]:
    """The folder at `path`, made where there is none, for this process alone. Raises ArchiveBusy, StorageFault."""
    state = path / ".state"
    try:
        make_folder(state)
    except OSError as error:
        raise StorageFault(f"{path} cannot be made: {error.strerror}. Choose another with --to DIR.") from error
    with lease(state, now=datetime.now(UTC), wait=wait):
        yield Folder(path)
