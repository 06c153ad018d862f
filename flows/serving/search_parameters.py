"""The parameters of a search, read from a URL, and the URL that has them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from starlette.datastructures import QueryParams

from schemas.article import SEOUL
from schemas.errors import BadInput
from storage.search.query import EVERYTHING, parse
from storage.search.results import SORTS, STATUSES, SearchRequest

ON_PAGE = 20
_MOST_PAGES = 50
_LONGEST_NAME = 200
_IN_STORY = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class SearchParameters:
    """The parameters as in the URL. `first` and `last`: Korean days, both included."""

    q: str = ""
    team: str = ""
    model: str = ""
    publisher: str = ""
    first: str = ""
    last: str = ""
    status: str = ""
    story: str = ""
    sort: str = "relevance"
    everything: bool = False
    page: int = 1

    def as_request(self, *, limit: int = ON_PAGE) -> SearchRequest:
        """The search. Raises BadInput, QueryError."""
        since, until = _second(self.first), _second(self.last, days=1)
        if since is not None and until is not None and since >= until:
            raise BadInput(f"{self.first} is after {self.last}: give the earlier day first.")
        return SearchRequest(
            parse(self.q) if self.q.strip() else EVERYTHING,
            self.team or None,
            self.publisher or None,
            since,
            until,
            self.status or None,
            self.everything,
            self.sort,
            limit,
            (self.page - 1) * limit,
            self.model or None,
            _IN_STORY.get(self.story),
        )

    def query(self, **changes: object) -> dict[str, object]:
        """The parameters of the address with some changed. Any change leads to the first page."""
        one = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]
        named = {
            "q": one.q,
            "team": one.team,
            "model": one.model,
            "publisher": one.publisher,
            "from_": one.first,
            "to": one.last,
        }
        more = {
            "status": one.status,
            "story": one.story,
            "sort": one.sort if one.sort != "relevance" else "",
            "all": "1" if one.everything else "",
            "page": one.page if one.page > 1 else "",
        }
        return {name: value for name, value in {**named, **more}.items() if value}

    @property
    def filters(self) -> bool:
        """Whether anything but the words is asked for."""
        return any((self.team, self.model, self.publisher, self.first, self.last, self.status, self.story))


def read_parameters(parameters: QueryParams) -> SearchParameters:
    """Read the parameters. Raises BadInput, which says what was expected."""
    given = {name: parameters.get(name, "").strip() for name in ("team", "model", "publisher", "from", "to", "status")}
    for name, value in given.items():
        if len(value) > _LONGEST_NAME or not value.isprintable():
            raise BadInput(f"{name}: expected a name of at most {_LONGEST_NAME} characters.")
    return SearchParameters(
        q=parameters.get("q", ""),
        team=given["team"],
        model=given["model"],
        publisher=given["publisher"],
        first=given["from"] and _day("from", given["from"]).isoformat(),
        last=given["to"] and _day("to", given["to"]).isoformat(),
        status=given["status"] and _one_of("status", given["status"], STATUSES),
        story=parameters.get("story", "") and _one_of("story", parameters["story"], tuple(_IN_STORY)),
        sort=_one_of("sort", parameters.get("sort", "") or "relevance", SORTS),
        everything=parameters.get("all", "") in ("1", "on", "true"),
        page=number(parameters, "page", 1, 1, _MOST_PAGES),
    )


def number(parameters: QueryParams, name: str, default: int, low: int, high: int) -> int:
    """A whole number from `low` to `high`. Raises BadInput."""
    text = parameters.get(name, "") or str(default)
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII) or not low <= int(text) <= high:
        raise BadInput(f"{name}: expected a whole number from {low} to {high}.")
    return int(text)


def _one_of(name: str, value: str, words: tuple[str, ...]) -> str:
    if value not in words:
        raise BadInput(f"{name}: expected one of {', '.join(words)}.")
    return value


def _day(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{name}: expected a day such as 2025-12-30.") from error
    if not 1990 <= found.year <= 2100:
        raise BadInput(f"{name}: expected a day from 1990 to 2100.")
    return found


def _second(day: str, days: int = 0) -> int | None:
    if not day:
        return None
    return int((datetime.combine(date.fromisoformat(day), time(), SEOUL) + timedelta(days=days)).timestamp())
