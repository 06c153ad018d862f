"""The OpenAPI description of the JSON API. The records are those of the exports."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from schemas.exported import json_schema

Schema = dict[str, Any]


def _null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _component(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_STRING: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_BOOLEAN: Schema = {"type": "boolean"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TEXT, _WHEN = _null(_STRING), _null(_TIME)

_CITED = {"id": _STRING, "title": _TEXT, "publisher": _TEXT, "published_at": _WHEN}
_STORY = _object(
    story=_STRING,
    title=_TEXT,
    publisher=_TEXT,
    first_at=_WHEN,
    last_at=_WHEN,
    articles=_INTEGER,
    publishers=_INTEGER,
    members=_list(_object(**_CITED, url=_TEXT, oid=_TEXT, minutes_behind=_null(_INTEGER), share=_null(_NUMBER))),
    copies=_list(_object(**_CITED, url=_TEXT, duplicate_of=_STRING, of_publisher=_TEXT)),
)
_HIT = _object(**_CITED, status=_STRING, on_topic=_null(_BOOLEAN), story=_TEXT, score=_null(_NUMBER), snippet=_STRING)
_RUN = {"run_id": _STRING, "command": _STRING, "started_at": _TIME, "finished_at": _WHEN, "exit_reason": _TEXT}
_COUNTS = {"finds": _null(_INTEGER), "requests": _null(_INTEGER), "bytes": _null(_INTEGER)}
_HEALTH = _object(
    as_of=_TIME,
    age_seconds=_INTEGER,
    newest_article=_WHEN,
    newest_change=_INTEGER,
    articles={"type": "object", "additionalProperties": _INTEGER},
    gaps=_INTEGER,
    quarantined=_INTEGER,
    search_index={"type": "string", "enum": ["missing", "behind", "current"]},
    last_run=_object(**{name: _null(schema) for name, schema in _RUN.items()}),
)

_FILTERS: dict[str, tuple[str, Schema]] = {
    "team": ("only articles that name this team", _STRING),
    "model": ("only articles that name this model", _STRING),
    "publisher": ("only articles of this publisher", _STRING),
    "from": ("from this Korean day on", {"type": "string", "format": "date"}),
    "to": ("up to and including this day", {"type": "string", "format": "date"}),
    "status": ("only of this status", {"type": "string", "enum": ["archived", "listed", "imported", "gone"]}),
    "story": ("yes: only articles of a story; no: only the others", {"type": "string", "enum": ["yes", "no"]}),
    "all": ("1: also imported and off-topic articles", {"type": "string", "enum": ["1"]}),
}


def _limit(most: int) -> dict[str, tuple[str, Schema]]:
    return {"limit": (f"how many, at most {most:,}", _whole(1, most))}


PATHS: dict[str, tuple[str, dict[str, tuple[str, Schema]], Schema]] = {
    "/api/v1/articles": (
        "Articles as exported records, newest first",
        {**_FILTERS, **_limit(200), "cursor": ("the `next` of an earlier answer", _STRING)},
        _object(articles=_list(_component("ExportedArticle")), next=_TEXT),
    ),
    "/api/v1/articles/{id}": ("One article", {}, _component("ExportedArticle")),
    "/api/v1/stories/{id}": (
        "A story, by its id or that of an article in it: near-duplicates, and identical copies of them",
        {},
        _STORY,
    ),
    "/api/v1/search": (
        "Search the texts",
        {
            "q": ('words, "phrases", OR, NOT or -word, parentheses, title:word', _STRING),
            **_FILTERS,
            "sort": ("what comes first", {"type": "string", "enum": ["relevance", "newest"]}),
            **_limit(100),
            "page": ("page of the result, from 1", _whole(1, 50)),
        },
        _object(query=_STRING, total=_INTEGER, hits=_list(_HIT), page=_INTEGER, next_page=_null(_INTEGER)),
    ),
    "/api/v1/changes": (
        "The change feed behind a cursor",
        {
            "since": ("the `cursor` of an earlier answer; 0: everything", _whole(0, 2**62)),
            **_limit(1_000),
            "wait": ("seconds to wait for a change if there is none yet, at most 60", _whole(0, 60)),
        },
        _object(changes=_list(_component("ExportedChange")), cursor=_INTEGER, more=_BOOLEAN),
    ),
    "/api/v1/teams": (
        "Teams, and how many articles name each",
        {},
        _object(teams=_list(_object(name=_STRING, articles=_INTEGER, publishers=_INTEGER))),
    ),
    "/api/v1/publishers": (
        "Press offices, and how many articles each has",
        {},
        _object(
            publishers=_list(
                _object(oid=_TEXT, name=_TEXT, articles=_INTEGER, first_published_at=_WHEN, last_published_at=_WHEN)
            )
        ),
    ),
    "/api/v1/runs": ("The newest runs", _limit(500), _object(runs=_list(_object(**_RUN, topic=_TEXT, **_COUNTS)))),
    "/api/v1/health": ("How fresh the archive is, and what is unfinished", {}, _HEALTH),
}
"""Path -> summary, parameters of the query, the answer."""


def description(base: str) -> dict[str, Any]:
    """The document. `base`: the address of the server."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "seogo", "version": version("seogo"), "summary": "Read-only API of a news archive"},
        "servers": [{"url": base}],
        "paths": {path: {"get": _operation(path, *documented)} for path, documented in PATHS.items()},
        "components": {
            "schemas": _records(),
            "responses": {"Problem": _answer("An error (RFC 9457)", "application/problem+json", _PROBLEM)},
        },
    }


_PROBLEM = _object(type=_STRING, title=_STRING, status=_INTEGER, detail=_STRING)


def _records() -> dict[str, Schema]:
    """The exported records. Their definitions are components here, where a `$defs` of theirs would not be found."""
    found: dict[str, Schema] = {}
    for key, name in (("change", "ExportedChange"), ("article", "ExportedArticle")):
        schema = json.loads(json.dumps(json_schema(key)).replace("#/$defs/", "#/components/schemas/"))
        found |= {**schema.pop("$defs", {}), name: schema}
    return found


def _operation(path: str, summary: str, query: dict[str, tuple[str, Schema]], answer: Schema) -> dict[str, Any]:
    parameters = [{"name": "id", "in": "path", "required": True, "schema": _STRING}] if "{id}" in path else []
    parameters += [
        {"name": name, "in": "query", "description": text, "schema": schema} for name, (text, schema) in query.items()
    ]
    refused = {"$ref": "#/components/responses/Problem"}
    responses: Schema = {"200": _answer(summary, "application/json", answer), "503": refused}
    responses |= {"400": refused} if query else {}
    responses |= {"404": refused} if "{id}" in path else {}
    return {
        "summary": summary,
        "operationId": path.removeprefix("/api/v1/").replace("/{id}", "_by_id"),
        "parameters": parameters,
        "responses": responses,
    }


def _answer(text: str, media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {media: {"schema": schema}}}
