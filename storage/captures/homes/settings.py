"""`archive.toml` in the archive's directory: the id of the archive, and where its captures are.

    id = "0b54a3f2-…"                  written by seogo
    captures = "s3://bucket/prefix"    without it: in the archive's directory

An archive without an object store needs no such file. The first command that writes to the archive takes over
`SEOGO_CAPTURES` into the file, and marks the place in the store with the archive's id: no other archive uses it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from schemas.errors import BadInput, ObjectExists, ObjectStoreUnavailable, StorageFault
from storage.files import replacing
from storage.layout import ARCHIVE_TOML
from storage.objects.store import ObjectStore, open_store

VARIABLE = "SEOGO_CAPTURES"
"""The environment variable with the address of the object store."""

MARK = "seogo-archive-id"
"""The object that holds the id of the archive whose captures are at that place."""

_KEYS = ("id", "captures", "leaving")


@dataclass(frozen=True, slots=True)
class Settings:
    """`captures`: the address of the object store; `leaving`: of one from which the captures have been taken back.

    Both are in use only if there is an `id`: without it, the place has not been marked yet.
    """

    id: str | None = None
    captures: str | None = None
    leaving: str | None = None

    @property
    def home(self) -> str | None:
        """The address of the object store in use, if there is one."""
        return self.captures if self.id else None


def load(root: Path) -> Settings:
    """Raises BadInput for a file that is not as described above."""
    path = root / ARCHIVE_TOML
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}). Correct it.") from error
    return _parsed(path, text)


def _parsed(path: Path, text: str) -> Settings:
    import tomllib  # most archives have no such file

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is not TOML ({error}). Correct it.") from error
    for name, value in found.items():
        if name not in _KEYS or not isinstance(value, str):
            raise BadInput(f"{path}: {name!r} is not a setting of an archive: {', '.join(_KEYS)}, each a text.")
    return Settings(**found)


def save(root: Path, settings: Settings) -> None:
    """Replace the file. Comments in it are lost. Raises StorageFault."""
    values = {name: value for name in _KEYS if (value := getattr(settings, name)) is not None}
    try:
        with replacing(root / ARCHIVE_TOML) as part:
            part.write_text("".join(f'{name} = "{value}"\n' for name, value in values.items()), "utf-8")
    except OSError as error:
        raise StorageFault(f"{root / ARCHIVE_TOML} cannot be written ({error.strerror}). Correct that.") from error


def prepare(root: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Take over the object store that the user wants, if it is not in use yet. The lease must be held.

    Raises BadInput if the archive uses another store, or if the place belongs to another archive; ObjectStoreFault.
    """
    settings, wanted = load(root), environment.get(VARIABLE) or None
    if settings.captures and wanted and settings.captures.rstrip("/") != wanted.rstrip("/"):
        raise BadInput(
            f"{root} keeps its captures in {settings.captures}, and {VARIABLE} names {wanted}. Unset it; to move them:"
            " seogo captures move."
        )
    if (address := settings.captures or wanted) and not settings.home:
        claim(root, address)


def claim(root: Path, address: str) -> None:
    """Mark the place in the store as that of this archive, then use it. Raises as `prepare`."""
    settings = load(root)
    if settings.id is None:
        settings = replace(settings, id=str(uuid4()), captures=None)
        # Synced first: a killed process must find the id that the mark has.
        save(root, settings)
    check_mark(open_store(address), str(settings.id), root)
    save(root, replace(settings, captures=address, leaving=None))


def check_mark(store: ObjectStore, id_: str, root: Path) -> None:
    """Mark a place in a store, or make sure that it has this mark. Raises BadInput if it has another."""
    found = store.find(MARK)
    if found is None:
        try:
            store.create(MARK, id_.encode())
        except ObjectExists:
            found = store.get(MARK)
        else:
            return
    _check_same(found, store, id_, root)


def require_mark(store: ObjectStore, id_: str, root: Path) -> None:
    """Make sure that a place in use still has this mark: a disk that is not mounted is an empty directory.

    Raises ObjectStoreUnavailable if it has none, BadInput if it has another.
    """
    found = store.find(MARK)
    if found is None:
        raise ObjectStoreUnavailable(
            f"{store.address} has no object {MARK}, which marks the captures of {root}. Mount the disk, or correct the"
            f" address; if only the mark was lost, create it with the content {id_}."
        )
    _check_same(found, store, id_, root)


def _check_same(found: bytes, store: ObjectStore, id_: str, root: Path) -> None:
    if found.decode("utf-8", "replace").strip() != id_:
        raise BadInput(
            f"{store.address} has the captures of another archive than {root}. Choose another prefix; to restore that"
            f" archive here, write its id, which is in the object {MARK}, into {ARCHIVE_TOML}."
        )
