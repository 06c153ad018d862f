"""The paths of an archive, relative to its directory."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from schemas.article import SEOUL, ArticleKey
from schemas.errors import BadInput

ARCHIVE_TOML = "archive.toml"
"""Settings of the archive: where its captures are."""
SNAPSHOT = "archive.duckdb"
"""The snapshot for readers."""
SNAPSHOT_PART = "state/snapshot.tmp"
"""The next snapshot while it is written."""
WRITER_DATABASE = "state/writer.duckdb"
"""The writer's database."""
UNPUBLISHED = "state/unpublished"
"""Exists while the snapshot is behind the writer's database."""
OPEN_CAPTURE = "state/open_capture"
"""The names of the WARC files of a run that has not ended, one per line."""
UPLOADS = "state/uploads.json"
"""The result of the last upload of captures to an object store."""
HELD_SEGMENTS = "state/held_segments.json"
"""The fetchers whose segments wait."""
LAST_RUN = "state/last_run.json"
"""The receipt of the newest run that ended, published or not."""
LAST_VERIFY = "state/last_verify.json"
"""The time and the result of the last verification."""
REBUILT = "state/rebuilt.duckdb"
"""A second database while it is rebuilt from the captures."""
BASELINE = "state/baseline.json"
"""The baseline of the drift alarm."""
SEARCH_INDEX = "search.sqlite"
"""The search index: derived from the snapshot, and rebuilt from it at any time."""
SEARCH_LOCK = "state/search.lock"
"""Held by the process that updates the search index."""
WEBHOOKS = "state/webhooks.json"
"""How far each webhook has received the changes."""
WEBHOOKS_LOCK = "state/webhooks.lock"
"""Held by the process that sends changes to webhooks."""
BACKOFF = "state/backoff.json"
"""Pauses of hosts that outlive the process."""


def path_of(key: ArticleKey, published_at: datetime | None) -> str:
    """The file's path inside the archive: by Korean day of publication, `articles/2025/12/30/119_0003042504.md`.

    An article without a day is in `articles/undated/`. The path consists of digits (`ArticleKey` ensures that), so
    nothing on a page can make it lead out of the archive.
    """
    folder = published_at.astimezone(SEOUL).strftime("%Y/%m/%d") if published_at else "undated"
    return f"articles/{folder}/{key.id}.md"


def check_path(root: Path) -> None:
    """Raise BadInput for a directory in which DuckDB cannot create a database."""
    check_utf8(root.absolute())
    if "?" in str(root.absolute()):
        # DuckDB puts the ending of its log before the `?`, in another directory.
        raise BadInput(f"{root}: DuckDB cannot use a path with a '?'. Rename the directory, or choose another.")


def check_utf8(path: Path) -> None:
    """Raise BadInput for a path whose bytes are not UTF-8: DuckDB and Arrow accept no others."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"{path}: the path is not UTF-8. Rename it, or choose another.") from error


def check_archive(root: Path) -> None:
    """Raise BadInput for a directory that is not an archive, so that a typo does not create a new, empty one."""
    check_path(root)
    if not any((root / part).exists() for part in ("state", "captures", ARCHIVE_TOML)):
        raise BadInput(f"{root} is not an archive: it has neither state nor captures. Crawl or import first.")
