"""What a fetcher has done of its chunk, and the number of its newest segment: `progress.json` in its directory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import BadInput
from storage.state import json_file

PROGRESS = "progress.json"


@dataclass(slots=True)
class Progress:
    """`newest`: the number of the newest segment that is in the store. `archive`: the id of the archive, if known.

    `chunk`: what identifies the newest chunk; `visited`: its articles that are in the store already, and `segments` the
    names of the segments with them; `done`: these are all.
    """

    fetcher: str
    newest: int = 0
    archive: str | None = None
    chunk: str = ""
    visited: list[str] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    done: bool = False

    def begin(self, chunk: str, *, again: bool) -> None:
        """Begin a chunk, or continue the same one. `again`: begin the same one again if it is done."""
        if self.chunk != chunk or (self.done and again):
            self.chunk, self.visited, self.segments, self.done = chunk, [], [], False


def load_progress(folder: Path, fetcher: str) -> Progress | None:
    """The progress of a fetcher; None at its first start. Raises BadInput if the directory is another fetcher's."""
    progress = json_file.load(folder / PROGRESS, _progress)
    if progress is not None and progress.fetcher != fetcher:
        raise BadInput(
            f"{folder} is the directory of the fetcher {progress.fetcher!r}: give {fetcher!r} one of its own."
        )
    return progress


def save_progress(folder: Path, progress: Progress) -> None:
    """Replace the file. Raises StorageFault."""
    json_file.save(folder / PROGRESS, asdict(progress))


def _progress(values: Any) -> Progress:
    progress = Progress(**values)
    progress.newest += 0  # a number, or the file is damaged
    return progress
