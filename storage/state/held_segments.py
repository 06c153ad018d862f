"""The fetchers whose segments wait, in `state/held_segments.json`, for `seogo status`: fetcher -> why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.layout import HELD_SEGMENTS
from storage.state import json_file


def note(root: Path, held: Mapping[str, str]) -> None:
    """Store which fetchers' segments could not be taken in. Raises StorageFault."""
    if held:
        json_file.save(root / HELD_SEGMENTS, dict(held), durable=False)
    else:
        (root / HELD_SEGMENTS).unlink(missing_ok=True)


def last(root: Path) -> dict[str, str]:
    """What the last taking in has found. Raises ArchiveDamaged, StorageFault."""
    return json_file.load(root / HELD_SEGMENTS, _parsed) or {}


def _parsed(value: Any) -> dict[str, str]:
    return {str(fetcher): str(why) for fetcher, why in value.items()}
