"""A mark of each archive outside of it, in a variable of Prefect's server: its id and its newest change.

A run refuses an archive that is missing, and one that is not the one of the last run: emptied, exchanged, or an older
copy. Without the mark it would crawl everything again into the wrong place, and end well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect.variables import Variable

from schemas.errors import ArchiveDamaged, BadInput
from storage import layout
from storage.reading.changes import first_run
from storage.reading.reader import newest_change, open_snapshot


@dataclass(frozen=True, slots=True)
class Mark:
    """`id`: the first run of the archive, which no other has; None before it. `cursor`: of its newest change."""

    archive: str
    id: str | None
    cursor: int


def variable_of(archive: Path) -> str:
    """The name of the archive's variable. The value has the path in clear."""
    return f"seogo_archive_{hashlib.sha256(str(archive.resolve()).encode()).hexdigest()[:12]}"


def read_mark(archive: Path) -> Mark:
    """The mark as the archive's snapshot gives it. Raises BadInput, ArchiveDamaged."""
    with open_snapshot(archive) as connection:
        return Mark(str(archive.resolve()), first_run(connection), newest_change(connection))


async def check_archive(archive: Path, *, create: bool) -> Mark | None:
    """The mark of the last run, None before the first. Raises BadInput if there is no archive and none is to be made,
    ArchiveDamaged if it is not the one that was marked.
    """
    mark = _mark_of(await Variable.aget(variable_of(archive)))
    try:
        layout.check_archive(archive)
    except BadInput as error:
        if create:
            return None
        known = f" The last run left one there, {_in_words(mark)}: mount or restore it." if mark else ""
        raise BadInput(f"{error}{known} To begin a new one, run a crawl with `create`.") from None
    if mark:
        _compare(mark, read_mark(archive))
    return mark


async def keep_mark(archive: Path, last: Mark | None) -> Mark | None:
    """Mark the archive as it is now, and return its mark; None if there is nothing to mark yet."""
    if not (archive / layout.SNAPSHOT).is_file():
        return None
    if (mark := read_mark(archive)) != last:
        await Variable.aset(variable_of(archive), asdict(mark), overwrite=True)
    return mark


def _mark_of(value: object) -> Mark | None:
    if not isinstance(value, Mapping):
        return None
    return Mark(str(value["archive"]), value["id"], int(value["cursor"]))


def _compare(mark: Mark, found: Mark) -> None:
    if mark.id and found.id != mark.id:
        what = "is another archive" if found.id else "is an empty archive"
    elif found.cursor < mark.cursor:
        what = "is an older copy"
    else:
        return
    raise ArchiveDamaged(
        f"{found.archive} {what}: it has {_in_words(found)}; the last run left {_in_words(mark)}. Mount or restore "
        f"that one. If this one is meant: prefect variable unset {variable_of(Path(found.archive))}"
    )


def _in_words(mark: Mark) -> str:
    return f"{mark.cursor} changes since the run {mark.id or '(none)'}"


def as_payload(mark: Mark) -> dict[str, Any]:
    """For an event."""
    return {"archive": mark.archive, "archive_id": mark.id, "cursor": mark.cursor}
