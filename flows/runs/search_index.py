"""Updating the search index when a run has ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from schemas.errors import SeogoError

_BEHIND = "the search index is behind the archive; the next search, or `seogo publish`, tries again"
OnProgress = Callable[[int, int], None]
_WAIT = 10.0
"""Seconds to wait for a search that is updating the index: it may have begun before the run ended."""


def update_search_index(archive: Path, on_progress: OnProgress = lambda done, total: None) -> list[str]:
    """Bring the index up to date. What prevents that is not a fault of the run: it is returned as a warning.

    `on_progress` is called with the number of changes that are indexed, and of those that are to be indexed.

    Ctrl-C ends the update, not the run, which is complete.
    """
    from storage.search.follower import follow

    try:
        follow(archive, wait=_WAIT, on_progress=on_progress)
    except SeogoError as error:
        return [f"{_BEHIND}: {error}"]
    except KeyboardInterrupt:
        return [f"{_BEHIND}: interrupted"]
    return []
