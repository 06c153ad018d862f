"""A search: bring the index up to date if this process may, then return the best or the newest hits.

Relevance is BM25. A word in the title counts four times as much as one in the text, and an article that contains a word
only inside longer words gets half its score. If more than a tenth of the articles match, BM25 hardly distinguishes
them: then those with the words in the title come first, each group newest first.
"""

from __future__ import annotations

import re
import sqlite3
from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from schemas.article import SEOUL
from schemas.errors import ArchiveBusy, BadInput, SearchIndexDamaged, StorageFault
from storage.layout import SEARCH_INDEX
from storage.search.index import SLOTS, is_current, meta_of, packed, unpacked
from storage.search.query import Query
from storage.search.readers import opened_to_read
from storage.search.snippets import Snippet, pattern, snippet, whole
from storage.search.spellings import occurring
from storage.search.tokens import is_syllable

GONE, IMPORTED = "gone", "imported"
STATUSES = ("archived", "listed", IMPORTED, GONE)
"""The status of a hit: as in `articles`, or `gone` if the article was deleted at Naver."""
SORTS = ("relevance", "newest")

_TITLE, _TEXT = 4.0, 1.0
_INSIDE = 0.5
_POOL = 100
"""The number of the best articles by BM25 that are read at most, to see where the words occur in them."""
_MANY = 1_000
"""Up to this number of matches are ranked by BM25, whatever their share of the archive."""
_SHARE = 0.1
_IN_STORIES = "SELECT n FROM doc WHERE story IS NOT NULL"
_KIND = "publisher, status, gone, on_topic, teams, models"
KOREA, DAY = 9 * 3600, 86_400
_RECENT = (7, 60)
"""The numbers of days before the newest match in which enough days are looked for first."""
_OVERFLOW = 3_600
"""Seconds after its own in which an article may be numbered: room for 14 million articles of one second."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What to search for. `since` and `until`: seconds since 1970, `until` not included.

    `limit` articles, 0 for all, after the first `offset` ones.

    Imported articles are found with `everything` or if `status` names them, off-topic articles with `everything`.
    `in_story`: only articles that belong to a story, or only the others.
    """

    query: Query
    team: str | None = None
    publisher: str | None = None
    since: int | None = None
    until: int | None = None
    status: str | None = None
    everything: bool = False
    sort: str = "relevance"
    limit: int = 20
    offset: int = 0
    model: str | None = None
    in_story: bool | None = None

    @property
    def last(self) -> int:
        """How many articles have to be ranked; 0: all."""
        return self.limit and self.offset + self.limit


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found. `score`: higher is better, None if the newest come first. `why` explains the rank."""

    id: str
    title: str
    publisher: str | None
    published_at: datetime | None
    status: str
    on_topic: bool | None
    story: str | None
    score: float | None
    snippet: Snippet
    headline: Snippet
    why: str

    def as_json(self) -> dict[str, Any]:
        """The same as plain values. The snippet's marks are `**`."""
        names = ("id", "title", "publisher", "published_at", "status", "on_topic", "story", "score")
        return {**{name: getattr(self, name) for name in names}, "snippet": self.snippet.marked()}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result: `total` articles match, of which `hits` are the first.

    `hidden`: how many more `everything` would find. `note`: how far the index is behind the archive and why, if it is.
    """

    query: str
    total: int
    hits: tuple[Hit, ...]
    hidden: int
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The same as plain values, as `seogo search --json` prints it."""
        return {"query": self.query, "total": self.total, "hits": [hit.as_json() for hit in self.hits]}


def search(root: Path, request: SearchRequest, *, on_progress: OnProgress = lambda done, total: None) -> SearchResult:
    """Search an archive, after its index has been brought up to date if this process may do that.

    Raises BadInput; ArchiveBusy or StorageFault if there is no index and none can be built.
    """
    try:
        found = _found_if_current(root, request)
        return found or _found(root, request, _hindrance(root, on_progress))
    except SearchIndexDamaged as damage:
        hindrance = _hindrance(root, on_progress, rebuild=True)
        if hindrance:
            raise hindrance from damage
        return _found(root, request)


def _found_if_current(root: Path, request: SearchRequest) -> SearchResult | None:
    """The answer if the index is current. Does without DuckDB, whose import takes longer than most searches."""
    with opened_to_read(root) as index:
        return Search(index, request).found() if is_current(index, root) else None


def _found(root: Path, request: SearchRequest, hindrance: Exception | None = None) -> SearchResult:
    with opened_to_read(root) as index:
        note = _note(root, meta_of(index, root / SEARCH_INDEX).cursor, hindrance) if hindrance else ""
        return replace(Search(index, request).found(), note=note)


def _hindrance(root: Path, on_progress: OnProgress, *, rebuild: bool = False) -> ArchiveBusy | StorageFault | None:
    """Bring the index up to date. Returns what prevented that."""
    from storage.search.follower import follow, rebuild_index

    try:
        (rebuild_index if rebuild else follow)(root, on_progress=on_progress)
    except (ArchiveBusy, StorageFault) as hindrance:
        return hindrance
    return None


def _note(root: Path, cursor: int, hindrance: Exception) -> str:
    from storage.search.follower import changes_behind

    changes = changes_behind(root, cursor)
    number = f"{changes:,} change{'' if changes == 1 else 's'}"
    return f"the search index is {number} behind the archive: {hindrance}" if changes else ""


class Search:
    """One search, in one state of the index."""

    def __init__(self, index: sqlite3.Connection, request: SearchRequest) -> None:
        self._index = index
        self._request = request
        self._match = occurring(index, request.query.match)
        self._terms = [pattern(term) for term in request.query.terms]

    def found(self) -> SearchResult:
        """Count, choose, and show."""
        return self.shown(self.counted())

    def shown(self, counted: Counted) -> SearchResult:
        """Choose and show, where it is known how many there are."""
        if not counted.total + counted.hidden:
            self._check_names()
        ranked = self.ranked(counted.total)[self._request.offset :]
        return SearchResult(self._request.query.text, counted.total, tuple(self.hits(ranked)), counted.hidden)

    def counted(self) -> Counted:
        """Count the articles that match and are requested, by their kind."""
        request, shown, hidden = self._request, list[tuple[Kind, int]](), 0
        by_kind = f"SELECT {_KIND}, number FROM ({{}}) JOIN kind USING (kind)"
        every = replace(request, everything=True)
        for *columns, number in self._rows("facet.kind, count(*) AS number", every, "GROUP BY 1", within=by_kind):
            kind = Kind(*columns)
            if request.everything or not kind.is_hidden(request.status):
                shown.append((kind, number))
            else:
                hidden += number
        return Counted(sum(number for _, number in shown), hidden, shown)

    def days(self, most: int, total: int) -> list[tuple[int, int]]:
        """The newest days that have any of the `total` articles, as days since 1970 in Korea, with their numbers."""
        request, found = self._request, list[tuple[int | None, int]]()
        newest = self._rows("facet.published", request, "ORDER BY ft.rowid DESC", 1)
        last = newest[0][0] or 0 if newest else 0
        for since in (*(max(last - days * DAY, request.since or 0) for days in _RECENT), request.since):
            select = f"(facet.published + {KOREA}) / {DAY}, count(*)"
            found = self._rows(select, replace(request, since=since), "GROUP BY 1 ORDER BY 1 DESC", most)
            if len(found) == most or sum(number for _, number in found) == total:
                break
        return [(day, number) for day, number in found if day is not None]

    def ranked(self, total: int) -> list[Ranked]:
        """The first of `total` articles, in the requested order."""
        if self._request.sort == "newest" or not self._match:
            return [Ranked(n, None, "") for n in self._newest(self._match, self._request.last)]
        return self._titles_first() if total > max(_MANY, _SHARE * self._documents()) else self._best()

    def _documents(self) -> int:
        (number,) = self._index.execute("SELECT documents FROM meta").fetchone()
        return int(number)

    # -- articles by their numbers

    def _newest(self, match: str, limit: int) -> list[int]:
        return [n for (n,) in self._rows("ft.rowid", self._request, "ORDER BY ft.rowid DESC", limit, match=match)]

    def _titles_first(self) -> list[Ranked]:
        limit, in_title = self._request.last, f"{{title}} : ({self._match})"
        first = self._newest(f"{in_title} AND ({self._match})", limit)
        left = limit - len(first)
        rest = self._newest(f"({self._match}) NOT {in_title}", left) if left or not limit else []
        return [*(Ranked(n, 1.0, "in the title") for n in first), *(Ranked(n, 0.0, "in the text") for n in rest)]

    def _best(self) -> list[Ranked]:
        """Texts are read only until no further one can come before the last that is requested."""
        last = self._request.last
        select, most = f"ft.rowid, -bm25(ft, {_TITLE}, {_TEXT})", last and max(last, _POOL)
        ranked: list[Ranked] = []
        for n, score in self._rows(select, self._request, "ORDER BY 2 DESC, 1 DESC", most):
            if last and len(ranked) >= last and score < (ranked[last - 1].score or 0):
                break
            title, text = self._row("title, text", n)
            insort(ranked, self._weighed(n, score, title, unpacked(text)), key=lambda one: (-(one.score or 0), -one.n))
        return ranked[: last or None]

    def _weighed(self, n: int, score: float, title: str, text: str) -> Ranked:
        begins = all(_begins(term, title) or _begins(term, text) for term in self._terms)
        in_title = all(term.search(title) for term in self._terms)
        inside = "" if begins else ", inside of longer words"
        shown = f"{score:.2f}" if score >= 0.005 else "below 0.01"
        why = f"in the {'title' if in_title else 'text'}{inside}, BM25 {shown}"
        return Ranked(n, score if begins else score * _INSIDE, why)

    def _rows(
        self,
        select: str,
        request: SearchRequest,
        order: str,
        limit: int = 0,
        *,
        match: str | None = None,
        within: str = "{}",
    ) -> list[tuple[Any, ...]]:
        """Rows for the articles that match and are requested. `facet` is joined only if it is needed."""
        match = self._match if match is None else match
        where, values = _conditions(request, match, hide=not request.everything and self._has_hidden)
        join = "JOIN facet ON facet.n = ft.rowid" if "facet." in " ".join([select, *where]) else ""
        source = "ft" if match else "facet ft"  # without words, all articles: they have the same numbers
        query = f"SELECT {select} FROM {source} {join} WHERE {' AND '.join(where)} {order} LIMIT :limit"
        return self._index.execute(within.format(query), {**values, "limit": limit or -1}).fetchall()

    @cached_property
    def _has_hidden(self) -> bool:
        """Whether the archive holds articles that only `everything` finds."""
        query = "SELECT EXISTS (SELECT 1 FROM kind WHERE status = 'imported' OR on_topic = 0)"
        return bool(self._index.execute(query).fetchone()[0])

    # -- hits

    def _row(self, columns: str, n: int, more: str = "") -> tuple[Any, ...]:
        query = f"SELECT {columns} FROM doc JOIN body USING (n) {more} WHERE n = ?"
        row: tuple[Any, ...] | None = self._index.execute(query, (n,)).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(f"tokens without an article: {n}")
        return row

    def hits(self, ranked: Sequence[Ranked]) -> Iterator[Hit]:
        """These articles as they are shown."""
        for one in ranked:
            try:
                hit = self._hit(one)
            except (TypeError, ValueError, OverflowError) as error:  # a flipped bit may make a number of a text
                raise sqlite3.DatabaseError(f"{one.n} is no article: {error}") from error
            yield hit

    def _hit(self, one: Ranked) -> Hit:
        columns = "id, publisher, published, status, gone, on_topic, story, title, text"
        row = self._row(columns, one.n, "JOIN facet USING (n) JOIN kind USING (kind)")
        id_, publisher, published, status, gone, on_topic, story, title, text = row
        return Hit(
            id=id_,
            title=title,
            publisher=publisher,
            published_at=None if published is None else datetime.fromtimestamp(published, SEOUL),
            status=GONE if gone else status,
            on_topic=None if on_topic is None else bool(on_topic),
            story=story,
            score=None if one.score is None else float(f"{one.score:.6g}"),
            snippet=snippet(unpacked(text), self._terms),
            headline=whole(title, self._terms),
            why=one.why,
        )

    # -- misspelt names

    def _check_names(self) -> None:
        """Raises BadInput for a publisher, a team or a model that no article has."""
        publishers = self._index.execute("SELECT DISTINCT publisher FROM kind WHERE publisher IS NOT NULL")
        _check_name("--publisher", self._request.publisher, {name for (name,) in publishers})
        for option, name, column in (
            ("--team", self._request.team, "teams"),
            ("--model", self._request.model, "models"),
        ):
            rows = self._index.execute(f"SELECT DISTINCT {column} FROM kind")
            _check_name(option, name, {one for (names,) in rows for one in names.split("\n") if one})


class Kind(NamedTuple):
    """What articles have in common that filters ask for. `teams`, `models`: as `packed`."""

    publisher: str | None
    status: str
    gone: int
    on_topic: int | None
    teams: str
    models: str

    def is_hidden(self, status: str | None) -> bool:
        """Whether only `everything` finds it in a search for this status."""
        return (self.status == IMPORTED and status != IMPORTED) or self.on_topic == 0


@dataclass(frozen=True, slots=True)
class Counted:
    """How many articles match, how many more `everything` would find, and how many each kind has of the first."""

    total: int
    hidden: int
    kinds: Sequence[tuple[Kind, int]]


class Ranked(NamedTuple):
    """An article's number, its score, and the reason for it."""

    n: int
    score: float | None
    why: str


def _begins(term: re.Pattern[str], text: str) -> bool:
    """Whether the term occurs anywhere but inside of a longer word."""
    return any(not match.start() or not is_syllable(text[match.start() - 1]) for match in term.finditer(text))


def _conditions(request: SearchRequest, match: str, *, hide: bool) -> tuple[list[str], dict[str, Any]]:
    """The request as SQL conditions, and their values. `hide`: leave out what only `everything` finds."""
    kind = {
        "instr(teams, :team)": request.team,
        "instr(models, :model)": request.model,
        "publisher = :publisher": request.publisher,
        "gone" if request.status == GONE else "status = :status AND NOT gone": request.status,
        "status <> 'imported'": (hide and request.status != IMPORTED) or None,
        "on_topic IS NOT 0": hide or None,
    }
    of_kind = [sql for sql, value in kind.items() if value is not None]
    conditions = {
        "ft MATCH :match": match or None,
        f"facet.kind IN (SELECT kind FROM kind WHERE {' AND '.join(of_kind)})": of_kind or None,
        "facet.published >= :since AND ft.rowid >= :first": request.since,
        "facet.published < :until AND ft.rowid < :behind": request.until,
        f"ft.rowid {'IN' if request.in_story else 'NOT IN'} ({_IN_STORIES})": request.in_story,
    }
    values = {**{name: getattr(request, name) for name in ("publisher", "status", "since", "until")}, "match": match}
    values |= {"team": packed([request.team or ""]), "model": packed([request.model or ""])}
    values |= {"first": (request.since or 0) * SLOTS, "behind": ((request.until or 0) + _OVERFLOW) * SLOTS}
    return [sql for sql, value in conditions.items() if value is not None] or ["TRUE"], values


def _check_name(option: str, name: str | None, known: set[str]) -> None:
    if name is None or name in known:
        return
    near = get_close_matches(name, known, n=1)
    raise BadInput(f"{option} {name}: no article of the archive has it.{f' Did you mean {near[0]}?' if near else ''}")
