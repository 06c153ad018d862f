"""A page of a search for a reader: the hits, and how many articles each further filter would leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from schemas.errors import SearchIndexDamaged
from storage.layout import SEARCH_INDEX
from storage.search.index import Meta, meta_of, stamp_of, stamp_text, unpacked
from storage.search.readers import Readers
from storage.search.results import GONE, Counted, Kind, Search, SearchRequest, SearchResult

_DAYS = 7
_TEXT = "SELECT text FROM doc JOIN body USING (n) WHERE id = ?"
_FIRST = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Facets:
    """How many of the found articles have which value, the most frequent first; of days, the seven newest."""

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
        self._readers = Readers(root)
        self._keep = keep
        self._facets: dict[tuple[object, ...], tuple[Counted, Facets]] = {}

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._readers.close()

    def page(self, request: SearchRequest) -> Page:
        """Search the index as it is now. Raises SearchIndexDamaged if there is none, BadInput, ArchiveBusy."""
        with self._readers.reading() as index:
            meta = meta_of(index, self._root / SEARCH_INDEX)
            search = Search(index, request)
            counted, facets = self._counts(search, request, meta)
            return Page(search.shown(counted), facets, meta.snapshot == stamp_of(self._root))

    def _counts(self, search: Search, request: SearchRequest, meta: Meta) -> tuple[Counted, Facets]:
        key = (meta, replace(request, sort="", limit=0, offset=0))
        kept = self._facets.get(key)
        if kept is None:
            counted = search.counted()
            kept = replace(counted, kinds=()), _facets(counted.kinds, search.days(_DAYS, counted.total))
            while len(self._facets) >= self._keep:
                self._facets.pop(next(iter(self._facets)), None)
            self._facets[key] = kept
        return kept

    def texts(self, ids: Sequence[str], stamp: tuple[int, int, int]) -> dict[str, str]:
        """The texts of these articles in the snapshot with this stamp; none if the index is of another one.

        An article without a text has its description.
        """
        try:
            with self._readers.reading() as index:
                if meta_of(index, self._root / SEARCH_INDEX).snapshot != stamp_text(stamp):
                    return {}
                rows = ((one, index.execute(_TEXT, (one,)).fetchone()) for one in ids)
                return {one: unpacked(row[0]) for one, row in rows if row}
        except SearchIndexDamaged:
            return {}

    def behind(self) -> bool | None:
        """Whether the index is behind the snapshot; None if there is no usable one."""
        try:
            with self._readers.reading() as index:
                return meta_of(index, self._root / SEARCH_INDEX).snapshot != stamp_of(self._root)
        except SearchIndexDamaged:
            return None

    def cursor(self) -> int:
        """The number of the last change that the index has; 0 if there is no usable one."""
        try:
            with self._readers.reading() as index:
                return meta_of(index, self._root / SEARCH_INDEX).cursor
        except SearchIndexDamaged:
            return 0


def _facets(kinds: Sequence[tuple[Kind, int]], days: Sequence[tuple[int, int]]) -> Facets:
    teams: Counter[str] = Counter()
    models: Counter[str] = Counter()
    publishers: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for kind, number in kinds:
        for counted, names in ((teams, kind.teams), (models, kind.models)):
            for name in filter(None, names.split("\n")):
                counted[name] += number
        publishers[kind.publisher or ""] += number
        statuses[GONE if kind.gone else kind.status] += number
    newest = tuple((str(date.fromordinal(_FIRST + day)), number) for day, number in days)
    return Facets(_ranked(teams), _ranked(models), _ranked(publishers), _ranked(statuses), newest)


def _ranked(counted: Counter[str]) -> tuple[tuple[str, int], ...]:
    named: Iterable[tuple[Any, int]] = ((name, number) for name, number in counted.items() if name)
    return tuple(sorted(named, key=lambda one: (-one[1], one[0])))
