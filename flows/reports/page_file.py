"""Writes a page to a file of the user's choice."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import BadInput, StorageFault
from storage.files import own_part, replacing


def write_page_file(page: str, file: Path, *, archive: Path) -> int:
    """Write `page` to `file`, whole or not at all. Returns its size in bytes. Raises BadInput, StorageFault."""
    own = archive.absolute()
    if file.absolute().is_relative_to(own) and not file.absolute().is_relative_to(own / "exports"):
        raise BadInput(f"{file} is inside the archive: choose a file elsewhere, or in {archive / 'exports'}.")
    if not file.name:
        raise BadInput(f"{file} is a directory: choose a file.")
    data = page.encode()
    try:
        with replacing(file, beside=own_part(file)) as part:
            part.write_bytes(data)
    except OSError as error:
        raise StorageFault(f"{file} cannot be written: {error.strerror}. Choose another with --html FILE.") from error
    return len(data)
