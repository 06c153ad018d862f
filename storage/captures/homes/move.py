"""Takes the captures of an archive back from an object store into its directory.

Each step can be repeated after a kill. An object is deleted only when its local copy is complete and the settings no
longer name the store. (The other way is `settings.claim` and an upload.)
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from schemas.errors import ObjectChanged, ObjectMissing, StorageFault
from storage.captures.homes import settings
from storage.captures.homes.bucket import BucketStore
from storage.captures.writer import CaptureFile
from storage.files import inside, make_folder, replacing, sha256_of


def bring_back(root: Path, address: str, recorded: Mapping[str, CaptureFile]) -> int:
    """Download every file that the archive's directory lacks, then use the directory. Returns how many.

    `recorded`: the checksums by name. The lease must be held, and no run be open. Raises ObjectChanged for an object
    that is not the file that was written, ObjectStoreFault, StorageFault.
    """
    store, number = BucketStore(root, address), 0
    listed = store.uploaded()
    for name in sorted({*listed, *recorded}):
        if not inside(root, name).is_file():
            # What the list lacks may be there nevertheless; if not, it was lost before, and `verify` says so.
            with nullcontext() if name in listed else suppress(ObjectMissing):
                _download(root, store, name, recorded.get(name))
                number += 1
    settings.save(root, replace(settings.load(root), captures=None, leaving=address))
    return number


def leave(root: Path, recorded: Mapping[str, CaptureFile]) -> int:
    """Delete the objects of a store that is not used any more, and its mark. Returns how many files it had.

    Raises ObjectChanged if a local copy is not the file that was written: then its object stays, and the mark.
    """
    known = settings.load(root)
    if known.leaving is None:
        return 0
    store = BucketStore(root, known.leaving)
    settings.check_mark(store.objects, str(known.id), root)
    names = store.uploaded()
    for name in names:
        _check_local(root, name, recorded.get(name))
        store.objects.delete([name])
    store.objects.delete([settings.MARK])
    settings.save(root, replace(known, leaving=None))
    return len(names)


def _download(root: Path, store: BucketStore, name: str, file: CaptureFile | None) -> None:
    path = inside(root, name)
    try:
        make_folder(path.parent)
        with replacing(path) as part:
            with part.open("wb") as copy:
                found = store.objects.download(name, copy)
            if file is not None and found != file.sha256:
                raise ObjectChanged(
                    f"{store.objects.address}/{name} is not the file that was written. Run: seogo verify"
                )
    except OSError as error:
        raise StorageFault(f"{path} cannot be written ({error.strerror}). Free space; nothing was deleted.") from error


def _check_local(root: Path, name: str, file: CaptureFile | None) -> None:
    path = inside(root, name)
    if not path.is_file() or (file is not None and sha256_of(path) != file.sha256):
        raise ObjectChanged(f"{path} is missing, or not the file that was written: its object was not deleted.")
