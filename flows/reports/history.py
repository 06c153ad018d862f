"""The history of an article: its revisions and events in order, and a word diff of two revisions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from flows.reports.text import moment
from schemas.errors import BadInput
from storage.reading.reader import open_snapshot

Revision = Mapping[str, Any]
"""A row of the view `revisions`, by column."""

_WITHOUT_TEXT = ("gone", "restored", "removed", "duplicate", "story")
"""Kinds of events that bring no new revision."""

_NEWEST = "SELECT * {} FROM articles WHERE id = ?"
_OLDER = "SELECT * FROM superseded WHERE id = ? ORDER BY revision"
_EVENTS = "SELECT seq, changed_at, kind, revision, run_id FROM events WHERE id = ? ORDER BY seq"
_WITH_EVENTS = "SELECT DISTINCT id FROM events WHERE kind IN (SELECT unnest(?))"
_CHANGED = "SELECT revision, changed FROM revision_changes WHERE id = ?"
_HAS_EVENTS = "SELECT count(*) = 1 FROM duckdb_tables() WHERE table_name = 'events'"

_COMPARED = ("title", "byline", "published_at", "modified_at", "body")
_WORD = re.compile(r"\w+[^\S\n]*|[^\w\s][^\S\n]*|\s+")
"""A word or a punctuation mark with the blanks after it, or a line break. A blank alone would match everywhere."""


@dataclass(frozen=True, slots=True)
class Step:
    """A revision or an event.

    `kind`: why a revision was stored (`new`, `imported`, `edited`, `re-extracted`), or an event without a revision
    (`gone`, `restored`, `removed`, `duplicate`, `story`). `changed`: what the revision changed.
    """

    at: datetime | None
    kind: str
    run_id: str
    revision: int | None = None
    title: str | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of words in a diff. `op`: `equal`, `delete` (only in the old text) or `insert` (only in the new text)."""

    op: str
    text: str


@dataclass(frozen=True, slots=True)
class History:
    """All revisions of an article, oldest first; revisions and events in the order in which they happened."""

    id: str
    revisions: tuple[Revision, ...]
    steps: tuple[Step, ...]

    def revision(self, number: int) -> Revision:
        """The revision of that number. Raises BadInput."""
        for one in self.revisions:
            if one["revision"] == number:
                return one
        numbers = ", ".join(str(one["revision"]) for one in self.revisions)
        raise BadInput(f"{self.id} has no revision {number}. It has: {numbers}.")

    def as_of(self, time: datetime) -> Revision:
        """The newest revision at a time. Raises BadInput if there was none yet."""
        then = [one for one in self.revisions if one["crawled_at"] is not None and one["crawled_at"] <= time]
        if not then:
            first = min((one["crawled_at"] for one in self.revisions if one["crawled_at"]), default=None)
            since = f": its first revision is of {moment(first, 'seconds')}" if first else ""
            raise BadInput(f"{self.id} was not in the archive at {moment(time, 'seconds')}{since}.")
        return then[-1]

    def change(self, span: str | None) -> tuple[Revision, Revision]:
        """The two revisions of a span such as `2..3`; the last two for None. Raises BadInput."""
        if span is not None:
            first, last = _numbers(span)
            return self.revision(first), self.revision(last)
        if len(self.revisions) < 2:
            raise BadInput(f"{self.id} has only one revision: there is nothing to compare it with.")
        return self.revisions[-2], self.revisions[-1]


def read_history(archive: Path, article_id: str) -> History | None:
    """The history of an article; None if the archive has no text of it."""
    with open_snapshot(archive) as connection:
        (known,) = connection.execute(_HAS_EVENTS).fetchone() or (False,)
        return history_of(connection, article_id, has_events=known)


def history_of(
    connection: Any, article_id: str, *, has_events: bool = True, text: str | None = None, only_texts: bool = False
) -> History | None:
    """The history of an article in an open snapshot; None if the archive has no text of it.

    `has_events`: False for an archive from before the change feed. `text`: that of the newest revision if it is known,
    or its description if it has none: to read a text takes longer than everything else. `only_texts`: it is known that
    the article has no other events than its revisions (`articles_with_events`).
    """
    newest = _rows(connection, _NEWEST.format("" if text is None else "EXCLUDE (body)"), article_id)
    older = _rows(connection, _OLDER, article_id) if not newest or newest[0]["revision"] > 1 else []
    revisions = [*older, *({"body": None if text == row["description"] else text, **row} for row in newest)]
    if not revisions:
        return None
    events = _rows(connection, _EVENTS, article_id) if has_events and not only_texts else []
    compared = _rows(connection, _CHANGED, article_id) if has_events and len(revisions) > 1 else []
    changed = {row["revision"]: row["changed"] for row in compared}
    return History(article_id, tuple(revisions), tuple(_steps(revisions, events, changed)))


def articles_with_events(connection: Any) -> frozenset[str]:
    """The ids of all articles that have events without a text."""
    return frozenset(id_ for (id_,) in connection.execute(_WITH_EVENTS, [list(_WITHOUT_TEXT)]).fetchall())


def _rows(connection: Any, sql: str, article_id: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, [article_id])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _steps(
    revisions: Sequence[Revision], events: Sequence[Mapping[str, Any]], changed: Mapping[int, Sequence[str]]
) -> list[Step]:
    """Revisions and events by time; of those with the same time a return comes first, then the order of events."""
    places = {event["revision"]: event["seq"] for event in events if event["kind"] not in _WITHOUT_TEXT}
    found = [(places.get(one["revision"], 0), _revised(one, changed)) for one in revisions]
    found += [
        (event["seq"], Step(event["changed_at"], event["kind"], event["run_id"]))
        for event in events
        if event["kind"] in _WITHOUT_TEXT
    ]
    return [step for _, step in sorted(found, key=lambda one: (_time(one[1]), one[1].kind != "restored", one[0]))]


def _revised(one: Revision, changed: Mapping[int, Sequence[str]]) -> Step:
    number = one["revision"]
    what = tuple(changed.get(number, ()))
    return Step(one["crawled_at"], one["revision_kind"], one["run_id"], number, one["title"], what)


def _time(step: Step) -> float:
    return step.at.timestamp() if step.at else 0.0


def _numbers(span: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", span, re.ASCII)
    if not found or found[1] == found[2]:
        raise BadInput(f"{span!r} does not name two revisions: write 2..3, the older first.")
    return int(found[1]), int(found[2])


# -- word diff


def compare(before: Revision, after: Revision) -> dict[str, list[Hunk]]:
    """The diff of each field that differs. Times are Korean."""
    pairs = {name: (_text(before[name]), _text(after[name])) for name in _COMPARED}
    return {name: word_diff(old, new) for name, (old, new) in pairs.items() if old != new}


def _text(value: Any) -> str:
    return moment(value, "seconds") if isinstance(value, datetime) else value or ""


def word_diff(before: str, after: str) -> list[Hunk]:
    """Two texts as hunks: `equal` and `delete` together are the old one, `equal` and `insert` the new one."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    # difflib ignores frequent words in long texts: otherwise, time would grow with the cube of the length.
    matcher = SequenceMatcher(None, old, new)
    parts = [(tag == "equal", old[i:j], new[k:m]) for tag, i, j, k, m in matcher.get_opcodes()]
    readable = _merged(_without_islands(_merged(_shifted(parts))))
    hunks = ([("equal", old)] if same else [("delete", old), ("insert", new)] for same, old, new in readable)
    return [Hunk(op, "".join(words)) for op, words in chain.from_iterable(hunks) if words]


Part = tuple[bool, list[str], list[str]]
"""Whether a part is the same in both texts, and its words in each."""


def _shifted(parts: Sequence[Part]) -> Iterator[Part]:
    """Pure insertions and deletions are moved right as far as possible: after the end of a sentence, not before it."""
    moved = 0
    for number, (same, old, new) in enumerate(parts):
        if same:
            yield True, old[moved:], new[moved:]
            moved = 0
        elif old and new:
            yield False, old, new
        else:
            block = old or new
            follows = parts[number + 1][1] if number + 1 < len(parts) else []
            moved = _steps_right(block, follows)
            turned = [block[(moved + place) % len(block)] for place in range(len(block))]
            yield True, follows[:moved], follows[:moved]
            yield False, turned if old else [], turned if new else []


def _steps_right(block: Sequence[str], follows: Sequence[str]) -> int:
    """How many words a block can be moved to the right without changing the whole text."""
    steps = 0
    while steps < len(follows) and block[steps % len(block)] == follows[steps]:
        steps += 1
    return steps


def _without_islands(parts: Sequence[Part]) -> Iterator[Part]:
    """A lone comma, full stop or quotation mark between two changes becomes part of the change."""
    for number, (same, old, new) in enumerate(parts):
        between = 0 < number < len(parts) - 1
        yield same and not (between and not re.search(r"\w|\n", "".join(old))), old, new


def _merged(parts: Iterable[Part]) -> list[Part]:
    """Adjacent parts of one kind joined, empty ones left out."""
    merged: list[Part] = []
    for same, group in groupby((part for part in parts if part[1] or part[2]), key=lambda part: part[0]):
        together = list(group)
        old = [word for part in together for word in part[1]]
        new = [word for part in together for word in part[2]]
        merged.append((same, old, new))
    return merged
