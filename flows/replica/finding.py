"""What lists and searches contain at a given time: articles by press office, section and day, or by words of a query.

Uses only slots and indexes, so that the text of an article that is merely counted need not be generated.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import islice

from flows.replica.corpus.articles import Corpus
from flows.replica.corpus.plan import DAY, Slot
from schemas.article import SEOUL

SEARCHABLE_AFTER_DELETION = DAY
"""Seconds for which a search still finds a deleted article. Lists remove it at once."""

_TERM = re.compile(r'"([^"]+)"|(\S+)')


class Finder:
    """Finds articles in a corpus. Results are indexes of articles, newest first."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._slots = corpus.slots
        self._matches = lru_cache(maxsize=256)(self._match)
        self._found = lru_cache(maxsize=256)(self._find)

    def listed(self, office_or_section: str, day: date, now: datetime) -> list[int]:
        """The articles of a press office (`701`) or a section (`105`) of one day, as its list shows them at `now`."""
        at = self._corpus.since(now)
        found = self._days.get((office_or_section, day), ())
        return [index for index in reversed(found) if _is_listed(self._slots[index], at)]

    def latest(self, section: str, now: datetime, *, before: int, count: int) -> list[int]:
        """The `count` newest articles of a section whose index is below `before`."""
        at = self._corpus.since(now)
        older = (index for index in reversed(self._sections.get(section, ())) if index < before)
        return list(islice((index for index in older if _is_listed(self._slots[index], at)), count))

    def search(
        self, query: str, now: datetime, *, sort: str = "date", first: date | None = None, last: date | None = None
    ) -> Sequence[int]:
        """Articles with all words of the query, quoted phrases as a whole; sorted by `date` or by relevance (`sim`)."""
        oldest = self._midnight(first) if first else 0
        youngest = self._midnight(last + timedelta(days=1)) if last else self._corpus.since(now) + 1
        return self._found(" ".join(query.lower().split()), self._corpus.since(now), sort, oldest, youngest)

    def _find(self, query: str, at: int, sort: str, oldest: int, youngest: int) -> Sequence[int]:
        shown = [
            index
            for index in self._matches(query)
            if oldest <= self._slots[index].since < youngest and _is_searchable(self._slots[index], at)
        ]
        if sort == "sim":
            shown.sort(key=lambda index: (index * 7_919) % 10_007)  # any order that is not chronological
        return tuple(shown)

    def _match(self, query: str) -> list[int]:
        wanted = [phrase or word for phrase, word in _TERM.findall(query)]
        hits = {
            (at, focus)
            for at, subject in enumerate(self._corpus.subjects)
            for focus, words in enumerate(subject.keywords)
            if wanted and all(term in words for term in wanted)
        }
        last = len(self._slots) - 1
        return [last - at for at, slot in enumerate(reversed(self._slots)) if (slot.subject, slot.focus) in hits]

    def _midnight(self, day: date) -> int:
        return self._corpus.since(datetime.combine(day, time(), SEOUL))

    @cached_property
    def _days(self) -> dict[tuple[str, date], list[int]]:
        """Indexes by (press office, day) and by (section, day). Sports and entertainment have no section lists."""
        days: defaultdict[tuple[str, date], list[int]] = defaultdict(list)
        for index, slot in enumerate(self._slots):
            if slot.number >= 0:
                day = self._corpus.moment(slot.since).date()
                days[self._corpus.offices[slot.press].oid, day].append(index)
                subject = self._corpus.subjects[slot.subject]
                if not subject.arena:
                    days[subject.section, day].append(index)
        return dict(days)

    @cached_property
    def _sections(self) -> dict[str, list[int]]:
        sections: defaultdict[str, list[int]] = defaultdict(list)
        for (name, _), indexes in self._days.items():
            sections[name].extend(indexes)
        return {name: sorted(indexes) for name, indexes in sections.items()}


def _is_listed(slot: Slot, at: int) -> bool:
    return slot.since + slot.late <= at and not (slot.gone and slot.since + slot.gone <= at)


def _is_searchable(slot: Slot, at: int) -> bool:
    return slot.since + slot.late <= at and not (slot.gone and slot.since + slot.gone + SEARCHABLE_AFTER_DELETION <= at)
