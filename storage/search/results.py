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
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from schemas.article import SEOUL
from schemas.errors import ArchiveBusy, BadInput, SearchIndexDamaged, StorageFault
from storage.layout import SEARCH_INDEX
from storage.search.index import SLOTS, is_current, meta_of, opened_to_read, packed, unpacked
from storage.search.query import Query
from storage.search.snippets import Snippet, pattern, snippet, whole
from storage.search.spellings import occurring

GONE = "gone"
STATUSES = ("archived", "listed", "imported", GONE)
"""The status of a hit: as in `articles`, or `gone` if the article was deleted at Naver."""
SORTS = ("relevance", "newest")

_TITLE, _TEXT = 4.0, 1.0
_INSIDE = 0.5
_POOL = 100
"""The number of the best articles by BM25 that are read at most, to see where the words occur in them."""
_MANY = 1_000
"""Up to this number of matches are ranked by BM25, whatever their share of the archive."""
_SHARE = 0.1
_NOTHING = 1e-3
"""BM25 of words that more than half of the articles have is below: FTS5 takes a millionth for their weight."""
_OVERFLOW = 3_600
"""Seconds after its own in which an article may be numbered: room for 14 million articles of one second."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to search for. `since` and `until`: seconds since 1970, `until` not included.

    `limit` articles, 0 for all, after the first `offset` ones.

    Imported articles are found with `everything` or if `status` names them, off-topic articles with `everything`.
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
class Found:
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


def search(root: Path, wanted: Wanted, *, on_progress: OnProgress = lambda done, total: None) -> Found:
    """Search an archive, after its index has been brought up to date if this process may do that.

    Raises BadInput; ArchiveBusy or StorageFault if there is no index and none can be built.
    """
    try:
        found = _found_if_current(root, wanted)
        return found or _found(root, wanted, _hindrance(root, on_progress))
    except SearchIndexDamaged as damage:
        hindrance = _hindrance(root, on_progress, rebuild=True)
        if hindrance:
            raise hindrance from damage
        return _found(root, wanted)


def _found_if_current(root: Path, wanted: Wanted) -> Found | None:
    """The answer if the index is current. Does without DuckDB, whose import takes longer than most searches."""
    with opened_to_read(root) as index:
        return Search(index, wanted).found() if is_current(index, root) else None


def _found(root: Path, wanted: Wanted, hindrance: Exception | None = None) -> Found:
    with opened_to_read(root) as index:
        note = _note(root, meta_of(index, root / SEARCH_INDEX).cursor, hindrance) if hindrance else ""
        return replace(Search(index, wanted).found(), note=note)


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
    number = "1 change" if changes == 1 else f"{changes:,} changes"
    return f"the search index is {number} behind the archive: {hindrance}" if changes else ""


class Search:
    """One search, in one state of the index."""

    def __init__(self, index: sqlite3.Connection, wanted: Wanted) -> None:
        self._index = index
        self._wanted = wanted
        self._match = occurring(index, wanted.query.match)
        self._terms = [pattern(term) for term in wanted.query.terms]
        self._begin = [re.compile(rf"(?<![가-힣]){term.pattern}", term.flags) for term in self._terms]

    def found(self) -> Found:
        """Count, choose, and show."""
        wanted = self._wanted
        total = self.count()
        hides = self._has_hidden and not wanted.everything
        hidden = self.count(replace(wanted, everything=True)) - total if hides else 0
        if not total + hidden:
            self._check_names()
        return Found(wanted.query.text, total, tuple(self.hits(self.ranked(total)[wanted.offset :])), hidden)

    def ranked(self, total: int) -> list[Ranked]:
        """The first of `total` articles, in the wanted order."""
        if self._wanted.sort == "newest" or not self._match:
            return [Ranked(n, None, "") for n in self._newest(self._match, self._wanted.last)]
        return self._titles_first() if total > max(_MANY, _SHARE * self._documents()) else self._best()

    def _documents(self) -> int:
        (number,) = self._index.execute("SELECT documents FROM meta").fetchone()
        return int(number)

    # -- articles by their numbers

    def count(self, wanted: Wanted | None = None) -> int:
        """How many articles match and are wanted."""
        return int(self._rows("count(*)", wanted or self._wanted, self._match)[0][0])

    def grouped(self, select: str, by: str) -> list[tuple[Any, ...]]:
        """Groups of the articles that match and are wanted. `select` names columns of `doc`."""
        return self._rows(select, self._wanted, self._match, f"GROUP BY {by}")

    def _newest(self, match: str, limit: int) -> list[int]:
        return [n for (n,) in self._rows("ft.rowid", self._wanted, match, "ORDER BY ft.rowid DESC", limit)]

    def _titles_first(self) -> list[Ranked]:
        limit, in_title = self._wanted.last, f"{{title}} : ({self._match})"
        first = self._newest(f"{in_title} AND ({self._match})", limit)
        left = limit - len(first)
        rest = self._newest(f"({self._match}) NOT {in_title}", left) if left or not limit else []
        return [*(Ranked(n, 1.0, "in the title") for n in first), *(Ranked(n, 0.0, "in the text") for n in rest)]

    def _best(self) -> list[Ranked]:
        """Texts are read only until no further one can come before the last that is wanted."""
        last = self._wanted.last
        select, most = f"ft.rowid, -bm25(ft, {_TITLE}, {_TEXT})", last and max(last, _POOL)
        ranked: list[Ranked] = []
        for n, score in self._rows(select, self._wanted, self._match, "ORDER BY 2 DESC, 1 DESC", most):
            if last and len(ranked) >= last and score < (ranked[last - 1].score or 0):
                break
            title, text = self._row("title, text", n)
            insort(ranked, self._weighed(n, score, title, unpacked(text)), key=lambda one: (-(one.score or 0), -one.n))
        return ranked[: last or None]

    def _weighed(self, n: int, score: float, title: str, text: str) -> Ranked:
        begins = all(term.search(title) or term.search(text) for term in self._begin)
        in_title = all(term.search(title) for term in self._terms)
        why = f"in the {'title' if in_title else 'text'}{'' if begins else ', inside longer words'}, {_rated(score)}"
        return Ranked(n, score if begins else score * _INSIDE, why)

    def _rows(self, select: str, wanted: Wanted, match: str, order: str = "", limit: int = 0) -> list[tuple[Any, ...]]:
        """Rows for the articles that match and are wanted. `doc` is joined only if a condition needs it."""
        where, values = _conditions(wanted, hide=not wanted.everything and self._has_hidden)
        join = "JOIN doc ON doc.n = ft.rowid" if "doc." in " ".join([select, *where]) else ""
        source = "ft" if match else "doc ft"  # without words, all articles: they have the same numbers
        query = f"SELECT {select} FROM {source} {join} WHERE {' AND '.join(where)} {order} LIMIT :limit"
        return self._index.execute(query, {**values, "match": match, "limit": limit or -1}).fetchall()

    @cached_property
    def _has_hidden(self) -> bool:
        """Whether the archive holds articles that only `everything` finds."""
        query = "SELECT EXISTS (SELECT 1 FROM doc WHERE status = 'imported' OR on_topic = 0)"
        return bool(self._index.execute(query).fetchone()[0])

    # -- hits

    def _row(self, columns: str, n: int) -> tuple[Any, ...]:
        query = f"SELECT {columns} FROM doc JOIN body USING (n) WHERE n = ?"
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
        id_, publisher, published, status, gone, on_topic, story, title, text = self._row(columns, one.n)
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
        publishers = self._index.execute("SELECT DISTINCT publisher FROM doc WHERE publisher IS NOT NULL")
        _check_name("--publisher", self._wanted.publisher, {name for (name,) in publishers})
        for option, name, column in (("--team", self._wanted.team, "teams"), ("--model", self._wanted.model, "models")):
            rows = self._index.execute(f"SELECT DISTINCT {column} FROM doc")
            _check_name(option, name, {one for (names,) in rows for one in names.split("\n") if one})


def _rated(score: float) -> str:
    return f"BM25 {score:.3g}" if score > _NOTHING else "in most articles"


class Ranked(NamedTuple):
    """An article's number, its score, and the reason for it."""

    n: int
    score: float | None
    why: str


def _conditions(wanted: Wanted, *, hide: bool) -> tuple[list[str], dict[str, Any]]:
    """What is wanted as SQL conditions, and their values. `hide`: leave out what only `everything` finds."""
    names, second = asdict(wanted), {"since": wanted.since or 0, "until": (wanted.until or 0) + _OVERFLOW}
    conditions = {
        "instr(doc.teams, :team)": wanted.team,
        "instr(doc.models, :model)": wanted.model,
        "doc.publisher = :publisher": wanted.publisher,
        "doc.gone" if wanted.status == GONE else "doc.status = :status AND NOT doc.gone": wanted.status,
        f"doc.published >= :since AND ft.rowid >= {second['since'] * SLOTS}": wanted.since,
        f"doc.published < :until AND ft.rowid < {second['until'] * SLOTS}": wanted.until,
        "doc.status <> 'imported'": (hide and wanted.status != "imported") or None,
        "doc.on_topic IS NOT 0": hide or None,
    }
    values = {**names, "team": packed([wanted.team or ""]), "model": packed([wanted.model or ""])}
    matching = "ft MATCH :match" if wanted.query.match else "TRUE"
    return [matching, *(sql for sql, value in conditions.items() if value is not None)], values


def _check_name(option: str, name: str | None, known: set[str]) -> None:
    if name is None or name in known:
        return
    near = get_close_matches(name, known, n=1)
    raise BadInput(f"{option} {name}: no article of the archive has it.{f' Did you mean {near[0]}?' if near else ''}")
