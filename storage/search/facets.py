"""A page of a search for a reader: the hits, and how many articles each further filter would leave."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from schemas.errors import SearchIndexDamaged
from storage.layout import SEARCH_INDEX
from storage.search.index import meta_of, opened_to_read, stamp_of
from storage.search.results import GONE, Search, SearchRequest, SearchResult

_KOREA = 9 * 3600
_DAY = 86_400
_FIRST = date(1970, 1, 1).toordinal()
_GROUPED = f"doc.teams, doc.models, doc.publisher, doc.status, doc.gone, (doc.published + {_KOREA}) / {_DAY}, count(*)"


@dataclass(frozen=True, slots=True)
class Facets:
    """How many of the found articles have which value, the most frequent first; days newest first."""

    teams: tuple[tuple[str, int], ...]
    models: tuple[tuple[str, int], ...]
    publishers: tuple[tuple[str, int], ...]
    statuses: tuple[tuple[str, int], ...]
    days: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Hits and facets of one state of the index. `is_current`: whether it is that of the snapshot."""

    found: SearchResult
    facets: Facets
    is_current: bool


class Browser:
    """Searches for readers, which never write. Counts of the last searches are kept while the index is the same."""

    def __init__(self, root: Path, keep: int = 64) -> None:
        self._root = root
        self._keep = keep
        self._facets: dict[tuple[object, ...], Facets] = {}

    def page(self, request: SearchRequest) -> Page:
        """Search the index as it is now. Raises SearchIndexDamaged if there is none, BadInput, ArchiveBusy."""
        with opened_to_read(self._root) as index:
            meta = meta_of(index, self._root / SEARCH_INDEX)
            found = Search(index, request).found()
            key = (meta, replace(request, sort="", limit=0, offset=0))
            facets = self._facets.get(key)
            if facets is None:
                facets = _facets(index, request)
                while len(self._facets) >= self._keep:
                    self._facets.pop(next(iter(self._facets)), None)
                self._facets[key] = facets
            return Page(found, facets, meta.snapshot == stamp_of(self._root))

    def behind(self) -> bool | None:
        """Whether the index is behind the snapshot; None if there is no usable one."""
        try:
            with opened_to_read(self._root) as index:
                return meta_of(index, self._root / SEARCH_INDEX).snapshot != stamp_of(self._root)
        except SearchIndexDamaged:
            return None


def _facets(index: sqlite3.Connection, request: SearchRequest) -> Facets:
    rows = Search(index, request).grouped(_GROUPED, "1, 2, 3, 4, 5, 6")
    teams: Counter[str] = Counter()
    models: Counter[str] = Counter()
    publishers: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    days: Counter[str] = Counter()
    for team_names, model_names, publisher, status, gone, day, number in rows:
        for counted, names in ((teams, team_names), (models, model_names)):
            for name in filter(None, names.split("\n")):
                counted[name] += number
        publishers[publisher or ""] += number
        statuses[GONE if gone else status] += number
        days[_date(day)] += number
    newest = tuple(sorted(days.items(), reverse=True))
    return Facets(_ranked(teams), _ranked(models), _ranked(publishers), _ranked(statuses), newest)


def _date(day: int | None) -> str:
    """The day with this number since 1970; empty if it is unknown."""
    return "" if day is None else str(date.fromordinal(_FIRST + day))


def _ranked(counted: Counter[str]) -> tuple[tuple[str, int], ...]:
    named: Iterable[tuple[Any, int]] = ((name, number) for name, number in counted.items() if name)
    return tuple(sorted(named, key=lambda one: (-one[1], one[0])))
