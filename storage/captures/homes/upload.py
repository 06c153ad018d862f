"""Uploads finished WARC files to the object store of an archive, reads them back, and deletes the local copies.

A kill at any point leaves a file in the spool, in the store, or in both; the next upload continues.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from schemas.errors import ArchiveDamaged, ObjectChanged, ObjectExists
from storage.captures.homes import settings
from storage.captures.writer import CaptureFile
from storage.files import inside, sha256_of, sync_folder
from storage.objects.store import ObjectStore, open_store


def upload(root: Path, files: Sequence[CaptureFile]) -> None:
    """Upload these files to the archive's object store, and delete the local copies. The lease must be held.

    Raises BadInput if the place in the store belongs to another archive, ObjectStoreUnavailable if it lacks the
    archive's mark, and as `upload_file`. A file that is damaged,
    here or there, does not keep the others from being uploaded: its error is raised at the end.
    """
    known = settings.load(root)
    if known.home is None or not files:
        return
    store = open_store(known.home)
    settings.require_mark(store, str(known.id), root)
    damaged = None
    for file in files:
        try:
            upload_file(root, store, file)
        except ArchiveDamaged as error:
            damaged = error
    if damaged is not None:
        raise damaged


def upload_file(root: Path, store: ObjectStore, file: CaptureFile) -> None:
    """Upload a file, unless it is there already; read it back; delete the local copy.

    Raises ArchiveDamaged if the local copy is not the file that was written, ObjectChanged if the store has another
    one under its name, ObjectStoreFault.
    """
    path = inside(root, file.name)
    if sha256_of(path) != file.sha256:
        raise ArchiveDamaged(f"{path} differs from the file that was written. Run: seogo verify")
    with suppress(ObjectExists):
        store.create(file.name, path)
    try:
        store.check(file.name, file.bytes, file.sha256)
    except ObjectChanged:
        if not path.read_bytes().startswith(store.get(file.name)):
            raise
        # The beginning of this file: an upload was cut off.
        store.replace(file.name, path)
        store.check(file.name, file.bytes, file.sha256)
    path.unlink()
    sync_folder(path.parent)
    with suppress(OSError):  # not empty
        path.parent.rmdir()
