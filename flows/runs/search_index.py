"""Updating the search index when a run has ended."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import SeogoError

_WAIT = 10.0
"""Seconds to wait for a search that is updating the index: it may have begun before the run ended."""


def update_search_index(archive: Path) -> list[str]:
    """Bring the index up to date. What prevents that is not a fault of the run: it is returned as a warning."""
    from storage.search.follower import follow

    try:
        follow(archive, wait=_WAIT)
    except SeogoError as error:
        return [f"the search index is behind the archive; the next search, or `seogo publish`, tries again: {error}"]
    return []
