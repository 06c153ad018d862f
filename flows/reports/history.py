"""What became of an article: its texts in order, what each changed, and the words in which two of them differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from schemas.article import SEOUL
from schemas.errors import BadInput
from storage.reading.reader import open_snapshot

Text = Mapping[str, Any]
"""A row of `revisions`, by column."""

_STATES = ("gone", "restored", "removed", "duplicate")
"""Kinds of events that bring no text."""

_EVENTS = "SELECT seq, changed_at, kind, revision, run_id FROM events WHERE id = ? ORDER BY seq"
_CHANGED = "SELECT revision, changed FROM revision_changes WHERE id = ?"
_HAS_EVENTS = "SELECT count(*) = 1 FROM duckdb_tables() WHERE table_name = 'events'"

_COMPARED = ("title", "byline", "published_at", "modified_at", "body")
_WORD = re.compile(r"\w+[^\S\n]*|[^\w\s][^\S\n]*|\s+")
"""A word or a mark with the blanks behind it, which alone are no common ground of two texts; or the end of a line."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to an article.

    `kind`: why a text was stored (`new`, `imported`, `edited`, `re-extracted`), or a kind of event without one (`gone`,
    `restored`, `removed`, `duplicate`). `revision` and `title`: of the text that came with it. `changed`: what it
    changed of the text before.
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
class Past:
    """All texts of an article, oldest first, and all that happened to it, in order."""

    id: str
    texts: tuple[Text, ...]
    steps: tuple[Step, ...]

    def text(self, revision: int) -> Text:
        """The text of that number. Raises BadInput."""
        for text in self.texts:
            if text["revision"] == revision:
                return text
        held = ", ".join(str(text["revision"]) for text in self.texts)
        raise BadInput(f"{self.id} has no revision {revision}. It has: {held}.")

    def as_of(self, moment: datetime) -> Text:
        """The text that the archive would have shown at a time. Raises BadInput where it had none yet."""
        then = [text for text in self.texts if text["crawled_at"] is not None and text["crawled_at"] <= moment]
        if not then:
            first = min((text["crawled_at"] for text in self.texts if text["crawled_at"]), default=None)
            since = f": its first text is of {first.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}" if first else ""
            raise BadInput(f"{self.id} was not in the archive at {moment.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}{since}.")
        return then[-1]

    def change(self, span: str | None) -> tuple[Text, Text]:
        """The texts before and after a change: `2..3`, or the last one for None. Raises BadInput."""
        if span is not None:
            first, last = _numbers(span)
            return self.text(first), self.text(last)
        if len(self.texts) < 2:
            raise BadInput(f"{self.id} has one revision only: there is nothing to compare it with.")
        return self.texts[-2], self.texts[-1]


def read_past(archive: Path, article_id: str) -> Past | None:
    """What the archive knows of an article's past; None where it holds no text of it."""
    with open_snapshot(archive) as connection:
        texts = _rows(connection, "SELECT * FROM revisions WHERE id = ? ORDER BY revision", article_id)
        if not texts:
            return None
        (known,) = connection.execute(_HAS_EVENTS).fetchone() or (False,)
        events = _rows(connection, _EVENTS, article_id) if known else []
        changed = {row["revision"]: row["changed"] for row in _rows(connection, _CHANGED, article_id)} if known else {}
    return Past(article_id, tuple(texts), tuple(_steps(texts, events, changed)))


def _rows(connection: Any, sql: str, article_id: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, [article_id])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _steps(texts: Sequence[Text], events: Sequence[Text], changed: Mapping[int, Sequence[str]]) -> Iterator[Step]:
    """Texts and events in one order: by time; at the same time what is there again first, then as in the feed."""
    places = {event["revision"]: event["seq"] for event in events if event["kind"] not in _STATES}
    found = [
        (
            places.get(text["revision"], 0),
            Step(
                text["crawled_at"],
                text["revision_kind"],
                text["run_id"],
                text["revision"],
                text["title"],
                tuple(changed.get(text["revision"], ())),
            ),
        )
        for text in texts
    ]
    found += [
        (event["seq"], Step(event["changed_at"], event["kind"], event["run_id"]))
        for event in events
        if event["kind"] in _STATES
    ]
    for _, step in sorted(found, key=lambda one: (_time(one[1]), one[1].kind != "restored", one[0])):
        yield step


def _time(step: Step) -> float:
    return step.at.timestamp() if step.at else 0.0


def _numbers(span: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", span, re.ASCII)
    if not found or found[1] == found[2]:
        raise BadInput(f"{span!r} names no two revisions: write 2..3, the older first.")
    return int(found[1]), int(found[2])


# -- differences


def compare(before: Text, after: Text) -> dict[str, list[Hunk]]:
    """The fields in which two texts differ, each word by word. Times are Korean."""
    pairs = {name: (_said(before[name]), _said(after[name])) for name in _COMPARED}
    return {name: word_diff(old, new) for name, (old, new) in pairs.items() if old != new}


def _said(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}"
    return value or ""


def word_diff(before: str, after: str) -> list[Hunk]:
    """Two texts as hunks: `equal` and `delete` together are the old one, `equal` and `insert` the new one."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    # In a long text frequent words are no anchors, as difflib has it: with them, time would grow with its cube.
    matcher = SequenceMatcher(None, old, new)
    parts = [(tag == "equal", old[i:j], new[k:m]) for tag, i, j, k, m in matcher.get_opcodes()]
    told = _merged(_readable(_merged(_slid(parts))))
    hunks = ([("equal", old)] if same else [("delete", old), ("insert", new)] for same, old, new in told)
    return [Hunk(op, "".join(words)) for op, words in chain.from_iterable(hunks) if words]


Part = tuple[bool, list[str], list[str]]
"""Whether a part is the same in both, and its words in each."""


def _slid(parts: Sequence[Part]) -> Iterator[Part]:
    """The same with what was only put in, or only left out, moved on as far as it may stand: behind the end of a
    sentence or a paragraph, not before it."""
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
    """How far a block may move into the words that follow it, so that the whole text stays the same."""
    steps = 0
    while steps < len(follows) and block[steps % len(block)] == follows[steps]:
        steps += 1
    return steps


def _readable(parts: Sequence[Part]) -> Iterator[Part]:
    """The same with no mere comma, point or quotation mark left standing between two changes."""
    for number, (same, old, new) in enumerate(parts):
        between = 0 < number < len(parts) - 1
        yield same and not (between and not re.search(r"\w|\n", "".join(old))), old, new


def _merged(parts: Iterable[Part]) -> list[Part]:
    """Neighbours of one kind as one part; empty ones left out."""
    merged: list[Part] = []
    for same, group in groupby((part for part in parts if part[1] or part[2]), key=lambda part: part[0]):
        together = list(group)
        old = [word for part in together for word in part[1]]
        new = [word for part in together for word in part[2]]
        merged.append((same, old, new))
    return merged
