"""A topic's sources as questions, each asked through its own reader (`flows.sources.discover`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from flows.naver import urls
from flows.sources.discover import ApiKey, Fetch, Reading, read_list, read_search_api, read_search_page
from flows.sources.window import Known, Window
from schemas.topic import PressList, SearchApi, SearchPage, SectionList, Source, Topic


@dataclass(frozen=True, slots=True)
class Question:
    """A source and one thing that it is asked for: a query, a press office, a section."""

    source: Source
    asked: str

    @property
    def name(self) -> str:
        """As finds, cursors and the coverage ledger name it, such as `search_api:소버린 AI`."""
        return f"{self.source.label}:{self.asked}"


def questions(topic: Topic) -> list[Question]:
    """All that is asked, in the topic file's order."""
    return [Question(source, asked) for source in topic.sources for asked in _asked_of(source, topic)]


def readings(
    topic: Topic,
    window_of: Callable[[str], Window],
    fetch: Fetch,
    known: Known,
    keys: Mapping[str, ApiKey],
) -> list[Reading]:
    """One reading for each question, in the topic file's order."""
    return [reading(question, window_of(question.name), fetch, known, keys) for question in questions(topic)]


def reading(question: Question, asked: Window, fetch: Fetch, known: Known, keys: Mapping[str, ApiKey]) -> Reading:
    """What a source says to one question, in a window."""
    name, source = question.name, question.source
    match source:
        case SearchApi():
            key = keys.get(source.endpoint)
            return read_search_api(name, question.asked, asked, fetch, endpoint=source.endpoint, key=key)
        case SearchPage():
            return read_search_page(name, question.asked, asked, fetch, known)
        case PressList():
            return read_list(name, partial(urls.press_list_url, question.asked), asked, fetch, known)
        case SectionList():
            return read_list(name, partial(urls.section_list_url, question.asked), asked, fetch, known)


def _asked_of(source: Source, topic: Topic) -> tuple[str, ...]:
    """What a source is asked for, one after the other: queries, press offices or sections."""
    match source:
        case PressList():
            return source.oids
        case SectionList():
            return source.sids
        case _:
            return topic.queries
