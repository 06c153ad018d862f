"""The pauses of hosts in a small JSON file, so that a restart does not forget them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from schemas.errors import StorageFault

_log = logging.getLogger(__name__)


class JsonBackoffStore:
    """Pauses in a small JSON file: `{"n.news.naver.com": "2026-10-01T03:00:00+00:00"}`.

    A damaged file counts as empty, with a warning: the worst that follows is one request too early, and a crawl is
    worth more. A disk that refuses the file is a `StorageFault`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, datetime]:
        """Every pause of the file that can be read."""
        try:
            kept = json.loads(self._path.read_bytes())
            return _pauses_in(kept)
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, RecursionError) as error:
            _log.warning(
                "%s is damaged (%s): the pauses in it are forgotten, it will be written anew", self._path, error
            )
            return {}
        except OSError as error:
            raise StorageFault(
                f"{self._path}: the pauses of hosts cannot be read ({error.strerror}); mend that, then run again"
            ) from error

    def save(self, host: str, until: datetime) -> None:
        """Add or replace one host's pause and drop the ones that are over, by atomic replacement of the file."""
        now = datetime.now(UTC)
        pauses = {name: end for name, end in self.load().items() if end > now} | {host: until}
        text = json.dumps({name: end.isoformat() for name, end in sorted(pauses.items())}, indent=1)
        temporary = self._path.with_name(self._path.name + ".tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text + "\n", encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            raise StorageFault(
                f"{self._path}: the pause of {host} cannot be kept ({error.strerror}); mend that, then run again"
            ) from error


def _pauses_in(kept: object) -> dict[str, datetime]:
    if not isinstance(kept, Mapping):
        raise TypeError(f"a JSON object is expected, not {type(kept).__name__}")
    pauses = {str(host): datetime.fromisoformat(until) for host, until in kept.items()}
    if any(until.tzinfo is None for until in pauses.values()):
        raise ValueError("a time without a zone")
    return pauses
