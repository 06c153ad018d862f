"""The sources of a topic as queries, and the reader for each kind of source.

    search_api:{query}     newest first, by minute of publication, at most 1,000 results
    search_page:{query}    newest first, within a range of days
    press_list:{oid}       all articles of a press office on a day
    section_list:{sid}     all articles of a section on a day

Each source is read from its watermark minus the topic's lag, so that windows overlap. A reading hands over the finds of
each page as it goes, and ends with one `SourceReport`: why it ended, and how far the source has been read. The caller
stores the finds first and the watermark last. Readers do not use the archive: `FirstFound` returns what is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from flows.naver import urls
from flows.sources.api_keys import ApiKey
from flows.sources.day_lists import read_day_lists
from flows.sources.reading import CheckHits, Fetch, Reading, ReadingEnded, TakeUp
from flows.sources.search_api import read_search_api
from flows.sources.search_page import read_search_page
from flows.sources.window import FirstFound, Window
from schemas.receipt import SourceReport
from schemas.topic import PressList, SearchApi, SearchPage, SectionList, Source, Topic


@dataclass(frozen=True, slots=True)
class SourceQuery:
    """A source and one term that it is queried for: search words, a press office's oid or a section's sid."""

    source: Source
    term: str

    @property
    def name(self) -> str:
        """The name in finds, cursors and the coverage ledger, such as `search_api:소버린 AI`."""
        return f"{self.source.label}:{self.term}"


def queries(topic: Topic) -> list[SourceQuery]:
    """All queries of a topic, in the order of the topic file."""
    return [SourceQuery(source, term) for source in topic.sources for term in _terms(source, topic)]


def _terms(source: Source, topic: Topic) -> tuple[str, ...]:
    match source:
        case PressList():
            return source.oids
        case SectionList():
            return source.sids
        case _:
            return topic.queries


@dataclass(frozen=True, slots=True)
class SourceReader:
    """Reads the sources of one run. `keys` are by endpoint.

    `take_up` receives the finds of each page. The reading of a source ends if `check_hits` doubts its finds.
    """

    fetch: Fetch
    first_found: FirstFound
    take_up: TakeUp
    check_hits: CheckHits
    keys: Mapping[str, ApiKey]

    async def read(self, query: SourceQuery, window: Window) -> SourceReport:
        """Read what a source names in a window. Faults and changed layouts are in the report."""
        try:
            reading = Reading(query.name, window, self.fetch, self.first_found, self.take_up, self.check_hits)
            return await self._read(query, reading)
        except ReadingEnded as ended:
            return ended.report

    async def _read(self, query: SourceQuery, reading: Reading) -> SourceReport:
        match query.source:
            case SearchApi(endpoint=endpoint):
                return await read_search_api(reading, query.term, endpoint=endpoint, key=self.keys.get(endpoint))
            case SearchPage():
                return await read_search_page(reading, query.term)
            case PressList():
                return await read_day_lists(reading, partial(urls.press_list_url, query.term))
            case SectionList():
                return await read_day_lists(reading, partial(urls.section_list_url, query.term))
