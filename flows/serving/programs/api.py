"""The JSON API below /api/v1. openapi.py describes it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from flows.serving.content import overview
from flows.serving.content.stories import copies, story
from flows.serving.context import answer, library, page, reading
from flows.serving.outputs import json_bytes
from flows.serving.pages.article import NotFound, known_id, record
from flows.serving.pages.views import found_of
from flows.serving.programs.openapi import description
from flows.serving.search_parameters import number, read_parameters
from schemas.article import SEOUL
from schemas.errors import BadInput
from storage.exports.records import chosen_records
from storage.reading.changes import changes as read_changes

_WAITERS = 64
"""Requests that may wait for a change at the same time; another one is answered at once."""
_LOOKS_EVERY = 0.5

_TEAMS = """
    SELECT team AS name, count(*) AS articles, count(DISTINCT publisher) AS publishers FROM teams
    GROUP BY team ORDER BY articles DESC, name
"""
_PUBLISHERS = """
    SELECT oid, publisher AS name, articles, first_published_at, last_published_at FROM publishers
    ORDER BY articles DESC, oid
"""
_RUNS = """
    SELECT run_id, command, topic, started_at, finished_at, exit_reason, finds, requests, bytes FROM runs
    ORDER BY number DESC LIMIT ?
"""
_NO_CURSOR = "cursor: expected the `next` of an earlier answer."
_AT = "coalesce(epoch_us(a.published_at), 0)"


def _json(request: Request, value: Any) -> Response:
    return answer(request, json_bytes(value), "application/json")


def articles(request: Request) -> Response:
    """Exported records, newest first, behind a cursor."""
    parameters = request.query_params
    limit = number(parameters, "limit", 50, 1, 200)
    conditions, values = _conditions(request)
    if cursor := parameters.get("cursor"):
        at, id_ = _read_cursor(cursor)
        conditions.append(f"({_AT} < ? OR ({_AT} = ? AND a.id < ?))")
        values += [at, at, id_]
    where = f"WHERE {' AND '.join(conditions)} ORDER BY {_AT} DESC, a.id DESC LIMIT {limit + 1}"
    with reading(request) as snapshot, snapshot.cursor() as connection:
        found = chosen_records(connection, where, values)
    more = len(found) > limit
    following = _cursor(found[limit - 1]) if more else None
    return _json(request, {"articles": found[:limit], "next": following})


def _conditions(request: Request) -> tuple[list[str], list[object]]:
    parameters = read_parameters(request.query_params)
    limits = parameters.as_request()
    given: Sequence[tuple[str, object]] = (
        ("list_contains(a.teams, ?)", parameters.team),
        ("list_contains(list_transform(a.models, lambda one: one.model), ?)", parameters.model),
        ("a.publisher = ?", parameters.publisher),
        ("a.status = ?", parameters.status if parameters.status != "gone" else ""),
        ("a.published_at >= ?", limits.since and datetime.fromtimestamp(limits.since, SEOUL)),
        ("a.published_at < ?", limits.until and datetime.fromtimestamp(limits.until, SEOUL)),
    )
    conditions = [sql for sql, value in given if value]
    if parameters.status == "gone":
        conditions.append("g.gone_at IS NOT NULL")
    if parameters.story:
        conditions.append(f"a.id {'IN' if parameters.story == 'yes' else 'NOT IN'} (SELECT id FROM story_members)")
    if not parameters.everything:
        conditions.append("a.id IN (SELECT id FROM articles_on_topic)")
    return conditions or ["TRUE"], [value for _, value in given if value]


def _cursor(article: dict[str, Any]) -> str:
    published = article["published_at"]
    at = round(datetime.fromisoformat(published).timestamp() * 1_000_000) if published else 0
    return base64.urlsafe_b64encode(json.dumps([at, article["id"]]).encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[int, str]:
    try:
        at, id_ = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise BadInput(_NO_CURSOR) from error
    if type(at) is not int or not isinstance(id_, str) or abs(at) >= 2**62:
        raise BadInput(_NO_CURSOR)
    return at, id_


def article(request: Request) -> Response:
    """One exported record."""
    return _json(request, record(request, known_id(request)))


def story_of_id(request: Request) -> Response:
    """A story, its articles without their texts, and the identical copies of them."""
    with reading(request) as snapshot:
        found = story(snapshot, known_id(request))
        repeated = copies(snapshot, found[0]["story"]) if found else []
    if found is None:
        raise NotFound("There is no such story.")
    return _json(request, {**found[0], "members": found[1], "copies": repeated})


def search(request: Request) -> Response:
    """A search, as `seogo search --json` prints it, and the address of the next page."""
    parameters = read_parameters(request.query_params)
    limit = number(request.query_params, "limit", 20, 1, 100)
    found = found_of(request, parameters.as_request(limit=limit))
    next_page = parameters.page + 1 if parameters.page * limit < found.total else None
    return _json(request, {**found.as_json(), "page": parameters.page, "next_page": next_page})


async def changes(request: Request) -> Response:
    """The change feed behind a cursor. `wait`: seconds to wait for a change if there is none yet."""
    since = number(request.query_params, "since", 0, 0, 2**62)
    limit = number(request.query_params, "limit", 100, 1, 1_000)
    wait = number(request.query_params, "wait", 0, 0, 60)
    state = request.app.state
    if wait and state.waiters < _WAITERS:
        state.waiters += 1
        try:
            await _wait_for_change(request, since, wait)
        finally:
            state.waiters -= 1
    return await run_in_threadpool(_changes, request, since, limit)


async def _wait_for_change(request: Request, since: int, wait: int) -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + wait
    while loop.time() < ends and await run_in_threadpool(_newest, request) <= since:
        if await request.is_disconnected():
            return
        await asyncio.sleep(min(_LOOKS_EVERY, max(0.0, ends - loop.time())))


def _newest(request: Request) -> int:
    with reading(request) as snapshot:
        return snapshot.kept("newest change", snapshot.newest_change)


def _changes(request: Request, since: int, limit: int) -> Response:
    with reading(request) as snapshot, snapshot.cursor() as connection:
        found = list(islice(read_changes(connection, since, at_once=limit + 1), limit + 1))
    kept = found[:limit]
    cursor = kept[-1]["seq"] if kept else since
    return _json(request, {"changes": kept, "cursor": cursor, "more": len(found) > limit})


def teams(request: Request) -> Response:
    """The teams, and how many articles name each."""
    with reading(request) as snapshot:
        return _json(request, {"teams": snapshot.rows(_TEAMS)})


def publishers(request: Request) -> Response:
    """The press offices, and how many articles each has."""
    with reading(request) as snapshot:
        return _json(request, {"publishers": snapshot.rows(_PUBLISHERS)})


def runs(request: Request) -> Response:
    """The newest runs."""
    limit = number(request.query_params, "limit", 50, 1, 500)
    with reading(request) as snapshot:
        return _json(request, {"runs": snapshot.rows(_RUNS, [limit])})


def health(request: Request) -> Response:
    """How fresh the archive is, and what is unfinished."""
    one = library(request)
    with reading(request) as snapshot:
        found = overview.state(snapshot, one.root)
        newest = snapshot.newest_change()
    as_of = found["as_of"]
    last = found["last_run"] or {}
    state_of_archive = {
        "as_of": as_of,
        "age_seconds": round((datetime.now(UTC) - as_of).total_seconds()),
        "articles": found["articles"],
        "newest_article": found["newest_article"],
        "newest_change": newest,
        "gaps": len(found["gaps"]),
        "quarantined": found["quarantined"],
        "search_index": {None: "missing", True: "behind", False: "current"}[one.browser.behind()],
        "last_run": {
            name: last.get(name) for name in ("run_id", "command", "exit_reason", "started_at", "finished_at")
        },
    }
    return _json(request, state_of_archive)


def openapi(request: Request) -> Response:
    """The description of this API."""
    return _json(request, description(str(request.base_url).rstrip("/")))


def documentation(request: Request) -> Response:
    """`/api/v1`: the same as a page."""
    return page(request, "api.html", api=description(str(request.base_url).rstrip("/")))


def problem(status: int, title: str, detail: str) -> Response:
    """An error as application/problem+json (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": re.sub(r"\s+", " ", detail)}
    return Response(json_bytes(body), status, {"Cache-Control": "no-store"}, "application/problem+json")
