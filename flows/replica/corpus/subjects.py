"""The subjects of generated articles, read from subjects.yaml: words, headlines, sentences, and search terms.

A subject has focuses: words that are fixed within one article. The first paragraph and every caption contain all of
them, so that a search can find articles without generating their text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

_FILE = Path(__file__).with_name("subjects.yaml")

SECTION_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "100": "정치",
        "101": "경제",
        "102": "사회",
        "103": "생활/문화",
        "104": "세계",
        "105": "IT/과학",
        "106": "연예",
        "107": "스포츠",
        "110": "오피니언",
    }
)
"""The names of the sections, used where a page displays no category."""


@dataclass(frozen=True)
class Subject:
    """One subject. `weight` is its relative frequency among the subjects on, or off, the topic.

    `arena` is `sports` or `entertain` for articles that exist only as JSON, else empty. `section` is Naver's number.
    """

    name: str
    section: str
    on_topic: bool
    weight: int
    arena: str
    opinion: bool
    focuses: tuple[Mapping[str, str], ...]
    titles: tuple[str, ...]
    leads: tuple[str, ...]
    bank: tuple[str, ...]
    captions: tuple[str, ...]
    words: Mapping[str, Sequence[str]]

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """The searchable text of each focus, in lower case."""
        return tuple(" ".join(focus.values()).lower() for focus in self.focuses)


@cache
def subjects() -> tuple[Subject, ...]:
    """All subjects, those on the topic first."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(_FILE.read_text("utf-8"), loader)  # noqa: S506  a safe loader, in C if available
    return (*_on_topic(data["on_topic"], data["shared"]), *_off_topic(data["off_topic"], data["shared"]))


def _on_topic(data: dict[str, Any], shared: dict[str, Any]) -> Iterator[Subject]:
    focuses = tuple(_team_focuses(data["teams"], data["phrases"]))
    for head in data["subjects"]:
        yield _subject({**data, **head}, shared, focuses, on_topic=True)


def _team_focuses(teams: list[list[str]], phrases: list[list[str]]) -> Iterator[Mapping[str, str]]:
    for turn, (phrase, alias) in enumerate(phrases):
        for at, (team, model) in enumerate(teams):
            rival = teams[(at + 1 + turn) % len(teams)][0]
            yield {"phrase": phrase, "alias": alias, "team": team, "model": model, "rival": rival}


def _off_topic(data: list[dict[str, Any]], shared: dict[str, Any]) -> Iterator[Subject]:
    for entry in data:
        names = entry["names"]
        focuses = tuple(
            {"name": name, "other": names[(at + 1) % len(names)], "term": entry["term"]}
            for at, name in enumerate(names)
        )
        yield _subject(entry, shared, focuses, on_topic=False)


def _subject(
    entry: dict[str, Any], shared: dict[str, Any], focuses: tuple[Mapping[str, str], ...], *, on_topic: bool
) -> Subject:
    opinion = bool(entry.get("opinion"))
    return Subject(
        name=entry["name"],
        section=entry["section"],
        on_topic=on_topic,
        weight=entry["weight"],
        arena=entry.get("arena", ""),
        opinion=opinion,
        focuses=focuses,
        titles=tuple(f"[기고] {title}" if opinion else title for title in entry["titles"]),
        leads=tuple(entry["leads"]),
        # Its own sentences twice, so that most of an article is about its subject.
        bank=tuple(entry["sentences"] * 2 + shared["sentences"]),
        captions=tuple(entry.get("captions", shared["captions"])),
        words={**shared["words"], **entry["words"]},
    )
