"""All articles of an archive for the table of the page: as columns, without what the page can derive, to save bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from flows.reports.facts import Asked
from schemas.article import ArticleKey
from schemas.errors import AddressError
from storage.layout import path_of

_LISTING = """
    SELECT a.id, a.title, a.publisher, a.published_at, a.teams, a.status, a.revision, coalesce(d.copies, 0),
        a.url, a.file
    FROM articles_on_topic a
        LEFT JOIN (SELECT duplicate_of AS id, count(*) AS copies FROM duplicates GROUP BY ALL) d USING (id)
    ORDER BY a.published_at DESC NULLS LAST, a.id DESC
"""

UNDATED = -1


class _Numbers(dict[str, int]):
    """Words, numbered in the order of their first use."""

    def __missing__(self, word: str) -> int:
        return self.setdefault(word, len(self))


def listing(asked: Asked) -> dict[str, Any]:
    """The articles of an archive, newest first, in the form of `columns`."""
    return columns(asked.stream(_LISTING))


def columns(rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """Rows of the query above as columns that a browser parses fast.

    `ids`, `titles`: joined by line breaks. `times`: minutes since 1970, or UNDATED. `publishers`, `teams`, `statuses`:
    words; `publisher`, `team` (lists) and `status` are indices of them. `revisions`, `copies`: {index of an article:
    number}, without articles of one revision or no copies. `files`, `addresses`: {index: path, or null} of articles for
    which they do not follow from id and day.
    """
    publishers, teams, statuses = _Numbers(), _Numbers(), _Numbers()
    found = _Listing()
    for number, (key, title, publisher, published, mentioned, status, revision, copies, url, file) in enumerate(rows):
        found.ids.append(key)
        found.titles.append(" ".join((title or "").split()))
        found.times.append(int(published.timestamp()) // 60 if published else UNDATED)
        found.publisher.append(publishers[publisher or ""])
        found.team.append([teams[team] for team in mentioned or ()])
        found.status.append(statuses[status])
        found.note(number, _derived(key, published), revision, copies, url, file)
    words = {"publishers": publishers, "teams": teams, "statuses": statuses}
    return found.as_json() | {name: list(one) for name, one in words.items()}


@dataclass(slots=True)
class _Listing:
    ids: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    publisher: list[int] = field(default_factory=list)
    team: list[list[int]] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    revisions: dict[int, int] = field(default_factory=dict)
    copies: dict[int, int] = field(default_factory=dict)
    files: dict[int, str | None] = field(default_factory=dict)
    addresses: dict[int, str | None] = field(default_factory=dict)

    def note(
        self, number: int, derived: tuple[str | None, str | None], revision: int, copies: int, url: str, file: str
    ) -> None:
        """Note what is not the same for most articles."""
        if revision > 1:
            self.revisions[number] = revision
        if copies:
            self.copies[number] = copies
        if url != derived[0]:
            self.addresses[number] = url
        if file != derived[1]:
            self.files[number] = file

    def as_json(self) -> dict[str, Any]:
        texts = {"ids": "\n".join(self.ids), "titles": "\n".join(self.titles)}
        return {one.name: getattr(self, one.name) for one in fields(self)} | texts


def _derived(article_id: str, published: datetime | None) -> tuple[str | None, str | None]:
    """The address and the file that follow from id and day; the script of the page does the same."""
    try:
        key = ArticleKey.from_id(article_id)
    except AddressError:
        return None, None
    return key.url, path_of(key, published)
