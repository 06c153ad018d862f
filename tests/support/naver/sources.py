"""Sources for tests: answers by address, and one reading of them, as a run would do it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from flows.sources.api_keys import ApiKey
from flows.sources.readers import SourceQuery, SourceReader
from flows.sources.reading import Discovered, Fetch
from flows.sources.window import FirstFound, Window
from schemas.article import SEOUL
from schemas.page import FetchFault, RawPage
from schemas.receipt import SourceReport
from schemas.topic import Source
from tests.support.values import key

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=SEOUL)
TODAY = NOON.date()
DAWN = datetime(2026, 1, 15, 2, 30, tzinfo=SEOUL)


class Answers:
    """A fetch that responds by the query of the URL: bytes, a status or a fault. `queries`: those received so far."""

    def __init__(self, answer: Callable[[dict[str, str]], bytes | FetchFault | int]) -> None:
        self.answer = answer
        self.queries: list[dict[str, str]] = []

    async def __call__(self, url: str, *, why: str, **_: object) -> RawPage | FetchFault:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.queries.append(query)
        answer = self.answer(query)
        if isinstance(answer, FetchFault):
            return answer
        status, content = (answer, b"{}") if isinstance(answer, int) else (200, answer)
        return RawPage(url, url, status, "", "HTTP/1.1", (), (), content, content, NOON)


async def nothing_found(ids: Sequence[str]) -> dict[str, datetime]:
    """No run has found anything yet."""
    return {}


def found_at(when: datetime, *numbers: int) -> FirstFound:
    """A run that began then was the first to find these articles."""
    found = {key(n).id: when for n in numbers}

    async def first_found(ids: Sequence[str]) -> dict[str, datetime]:
        return {id_: found[id_] for id_ in ids if id_ in found}

    return first_found


def pages_of(
    query: SourceQuery,
    window: Window,
    fetch: Fetch,
    *,
    first_found: FirstFound = nothing_found,
    keys: Mapping[str, ApiKey] | None = None,
) -> tuple[list[Discovered], SourceReport]:
    """The pages that a reading hands over, and its report."""
    pages: list[Discovered] = []

    async def take_up(page: Discovered) -> None:
        pages.append(page)

    reader = SourceReader(fetch, first_found, take_up, lambda found: "", keys or {})
    return pages, asyncio.run(reader.read(query, window))


def read(
    source: Source,
    term: str,
    window: Window,
    fetch: Fetch,
    *,
    first_found: FirstFound = nothing_found,
    keys: Mapping[str, ApiKey] | None = None,
) -> tuple[list[str], SourceReport]:
    """The ids that a reading of a source names, in order, and its report."""
    pages, report = pages_of(SourceQuery(source, term), window, fetch, first_found=first_found, keys=keys)
    return [ref.key.id for page in pages for ref in page.refs], report
