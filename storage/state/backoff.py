"""The pauses of hosts in a small JSON file, so that a restart does not forget them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from schemas.errors import ArchiveDamaged
from storage.state import json_file

_log = logging.getLogger(__name__)


class JsonBackoffStore:
    """Stores pauses in a small JSON file: `{"n.news.naver.com": "2026-10-01T03:00:00+00:00"}`.

    A damaged file counts as empty, with a warning: the worst consequence is one request too early, which is no reason
    to end a crawl. A fault of the disk raises StorageFault.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, datetime]:
        """All pauses of the file that can be read."""
        try:
            return json_file.load(self._path, _pauses_in) or {}
        except ArchiveDamaged as error:
            _log.warning("%s: its pauses are lost, and the file will be replaced", error)
            return {}

    def save(self, host: str, until: datetime) -> None:
        """Add or replace one host's pause and drop the ones that are over, by atomic replacement of the file."""
        now = datetime.now(UTC)
        pauses = {name: end for name, end in self.load().items() if end > now} | {host: until}
        kept = {name: end.isoformat() for name, end in sorted(pauses.items())}
        json_file.save(self._path, kept, indent=1)


def _pauses_in(kept: object) -> dict[str, datetime]:
    if not isinstance(kept, Mapping):
        raise TypeError(f"expected a JSON object, not {type(kept).__name__}")
    pauses = {str(host): datetime.fromisoformat(until) for host, until in kept.items()}
    if any(until.tzinfo is None for until in pauses.values()):
        raise ValueError("a time has no zone")
    return pauses
