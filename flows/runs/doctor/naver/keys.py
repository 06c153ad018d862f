"""The Search API's keys: is one there, and does Naver accept it. One request for each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows.fetching.client import Client
from flows.naver import urls
from flows.naver.search.api import ApiErrorKind, parse_api_error, parse_search_answer
from flows.runs.doctor.check import Check, error, ok, warning
from flows.runs.doctor.naver import faults
from flows.sources.api_keys import KEY_VARIABLES, Endpoint, keys_from
from schemas.errors import AddressError, LayoutChanged, MissingKey
from schemas.page import FetchFault, RawPage
from schemas.topic import SearchApi, Topic

_RESULTS = 10
_REMEDIES = {
    ApiErrorKind.BAD_KEY: ("refuses the key", "copy the key again, or get a new one: README.md"),
    ApiErrorKind.BAD_QUERY: ("refuses the request", "report it with seogo doctor --bundle"),
    ApiErrorKind.RATE: ("says that requests come too fast", "see what else uses this key"),
    ApiErrorKind.QUOTA: ("says that the day's quota is used up", "wait until tomorrow (Korean time)"),
    ApiErrorKind.SERVER: ("has a fault of its own", faults.LATER),
}
_PASSING = (ApiErrorKind.RATE, ApiErrorKind.QUOTA, ApiErrorKind.SERVER)


@dataclass(frozen=True, slots=True)
class KeyTried:
    """The check of a key, and the answer to the request that was made with it (None if there was no request)."""

    check: Check
    answer: RawPage | FetchFault | None = None


async def try_keys(topic: Topic, environment: Mapping[str, str], client: Client) -> dict[str, KeyTried]:
    """Each key that is set or needed, by endpoint."""
    tried = {endpoint: await _try(endpoint, topic, environment, client) for endpoint in KEY_VARIABLES}
    return {endpoint: key for endpoint, key in tried.items() if key is not None}


async def _try(endpoint: Endpoint, topic: Topic, environment: Mapping[str, str], client: Client) -> KeyTried | None:
    name, variables = f"key {endpoint}", KEY_VARIABLES[endpoint]
    needed = any(isinstance(source, SearchApi) and source.endpoint == endpoint for source in topic.sources)
    given = {variable: environment[variable] for variable in variables if environment.get(variable, "").strip()}
    if not given and not needed:
        return None
    if missing := [variable for variable in variables if variable not in given]:
        judged = error if needed else warning
        todo = f"set {' and '.join(variables)}: README.md (Secret blocks are read only if PREFECT_API_URL is set)"
        return KeyTried(judged(name, f"{' and '.join(missing)}: not set", todo))
    try:
        key = keys_from(given)[endpoint]
        url = urls.search_api_url(endpoint, _query(topic), start=1, display=_RESULTS)
        answer = await client.fetch(url, why="doctor", secret_headers=key.headers(endpoint), final=_says_why)
    except MissingKey as fault:
        return KeyTried(error(name, str(fault), "copy the key again"))
    except AddressError as fault:
        return KeyTried(error(name, f"not sent: {fault.reason}", "use a stand-in on this machine, or https"))
    return KeyTried(_judged(name, answer, needed=needed), answer)


def _query(topic: Topic) -> str:
    return topic.queries[0] if topic.queries else topic.title


def _says_why(page: RawPage) -> bool:
    return parse_api_error(page.content, page.status) is not None


def _judged(name: str, answer: RawPage | FetchFault, *, needed: bool) -> Check:
    if isinstance(answer, FetchFault):
        return error(name, f"no answer: {faults.said(answer)}", faults.LATER)
    refusal = parse_api_error(answer.content, answer.status)
    if refusal is not None:
        said, todo = _REMEDIES[refusal.kind]
        judged = warning if refusal.kind in _PASSING else error
        # Not its message: what a server writes may hold anything.
        return judged(name, f"the Search API {said} (status {answer.status})", todo)
    try:
        parse_search_answer(answer.content, source=name, seen_at=answer.fetched_at, url=answer.final_url)
    except LayoutChanged as fault:
        return error(name, faults.unknown_layout(fault), faults.REPORT)
    return ok(name, "accepted" if needed else "accepted, though the topic has no search_api source with this endpoint")
