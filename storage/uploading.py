"""Uploads finished WARC files to the object store of an archive, during a run and at its end.

A store that is away is no error: the files stay in the archive's directory, `state/uploads.json` says why, for reports
and alerts, and the next attempt takes them too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from schemas.errors import ArchiveDamaged, BadInput, ObjectStoreFault
from storage.captures.homes import settings, upload
from storage.captures.homes.directory import local_names
from storage.captures.writer import CaptureFile
from storage.database.writer import Database
from storage.state import uploads

_log = logging.getLogger(__name__)


class Uploader:
    """Uploads the files of the archive at `root`: during a run in a thread, one attempt at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._thread: ThreadPoolExecutor | None = None
        self._attempts: list[Future[None]] = []

    @property
    def address(self) -> str | None:
        """The address of the object store; None if the archive has none."""
        return settings.load(self._root).home

    def waiting(self, db: Database) -> list[CaptureFile]:
        """The finished files that have not been uploaded; none if the archive has no object store."""
        if self.address is None:
            return []
        names = local_names(self._root)
        sql = "SELECT name, bytes, sha256, run_id FROM capture_files WHERE name IN (SELECT unnest(?::VARCHAR[]))"
        return [CaptureFile(**row) for row in db.rows(f"{sql} ORDER BY name", [names])]

    def begin(self, files: Sequence[CaptureFile]) -> None:
        """Upload these files while the run continues."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._attempts.append(self._thread.submit(self._upload, files))

    def finish(self, files: Sequence[CaptureFile] | None) -> None:
        """Wait for the attempt that has begun, then upload these files; None: no more. Raises StorageFault."""
        self._end(wait=True)
        for attempt in self._attempts:
            if not attempt.cancelled():
                attempt.result()
        if files is not None:
            self._upload(files)

    def abandon(self) -> None:
        """Begin no further attempt."""
        self._end(wait=False)

    def _end(self, *, wait: bool) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=wait, cancel_futures=True)

    def _upload(self, files: Sequence[CaptureFile]) -> None:
        """Upload these files, except for those that an earlier attempt has uploaded."""
        if (address := self.address) is None:
            return
        fault = ""
        try:
            upload.upload(self._root, self._still_here(files))
        except (ObjectStoreFault, ArchiveDamaged, BadInput) as error:
            fault = str(error)
            _log.warning("captures were not uploaded and stay in the archive's directory: %s", fault)
        left = self._still_here(files)
        uploads.note(self._root, address, len(left), sum(file.bytes for file in left), fault)

    def _still_here(self, files: Sequence[CaptureFile]) -> list[CaptureFile]:
        return [file for file in files if (self._root / file.name).exists()]
