"""The object store of an archive's captures: whether it can be reached, and what waits to be uploaded."""

from __future__ import annotations

from pathlib import Path

from flows.runs.doctor.check import Check, error, ok, warning
from schemas.counted import counted
from storage.captures.homes import settings
from storage.objects.store import open_store
from storage.state import uploads


def object_store_check(root: Path) -> Check:
    """Reads the mark of the archive in its store. Raises SeogoError if it cannot."""
    known = settings.load(root)
    if known.home is None:
        return ok("object store", "none in use")
    mark = open_store(known.home).find(settings.MARK)
    if mark is None or mark.decode("utf-8", "replace").strip() != known.id:
        return error("object store", f"{known.home} is not marked as this archive's", "see docs/object-store.md")
    waiting = uploads.last(root)
    if waiting is not None and waiting.fault:
        said = f"{known.home}: {counted(waiting.waiting, 'capture')} waiting: {waiting.fault}"
        return warning("object store", said, "the next run uploads them")
    return ok("object store", known.home)
