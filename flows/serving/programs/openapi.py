"""The OpenAPI description of the JSON API. The records are those of the exports."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from schemas.exported import json_schema

Schema = dict[str, Any]
_STRING: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}

_FILTERS: dict[str, tuple[str, Schema]] = {
    "team": ("only articles that name this team", _STRING),
    "model": ("only articles that name this model", _STRING),
    "publisher": ("only articles of this publisher", _STRING),
    "from": ("from this Korean day on", {"type": "string", "format": "date"}),
    "to": ("up to this day, and it included", {"type": "string", "format": "date"}),
    "status": ("only of this status", {"type": "string", "enum": ["archived", "listed", "imported", "gone"]}),
    "all": ("1: also imported and off-topic articles", {"type": "string", "enum": ["1"]}),
}
_LIMIT = ("how many at most", _INTEGER)

PATHS: dict[str, tuple[str, dict[str, tuple[str, Schema]], str]] = {
    "/api/v1/articles": (
        "Articles as exported records, newest first",
        {**_FILTERS, "limit": _LIMIT, "cursor": ("the `next` of an earlier answer", _STRING)},
        "ExportedArticle",
    ),
    "/api/v1/articles/{id}": ("One article", {}, "ExportedArticle"),
    "/api/v1/stories/{id}": ("A story: articles that are near-duplicates of each other", {}, ""),
    "/api/v1/search": (
        "Search the texts",
        {
            "q": ('words, "phrases", OR, NOT or -word, parentheses, title:word', _STRING),
            **_FILTERS,
            "sort": ("what comes first", {"type": "string", "enum": ["relevance", "newest"]}),
            "limit": _LIMIT,
            "page": ("page of the result, from 1", _INTEGER),
        },
        "",
    ),
    "/api/v1/changes": (
        "The change feed behind a cursor",
        {
            "since": ("the `cursor` of an earlier answer; 0: everything", _INTEGER),
            "limit": _LIMIT,
            "wait": ("seconds to wait for a change if there is none yet, at most 60", _INTEGER),
        },
        "ExportedChange",
    ),
    "/api/v1/teams": ("Teams, and how many articles name each", {}, ""),
    "/api/v1/publishers": ("Press offices, and how many articles each has", {}, ""),
    "/api/v1/runs": ("The newest runs", {"limit": _LIMIT}, ""),
    "/api/v1/health": ("How fresh the archive is", {}, ""),
}
"""Path -> summary, parameters, the exported record in the answer if there is one."""


def description(base: str) -> dict[str, Any]:
    """The document. `base`: the address of the server."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "seogo", "version": version("seogo"), "summary": "Read-only API of a news archive"},
        "servers": [{"url": base}],
        "paths": {path: {"get": _operation(path, *documented)} for path, documented in PATHS.items()},
        "components": {
            "schemas": {name: json_schema(key) for key, name in _RECORDS.items()},
            "responses": {"Problem": _answer("An error (RFC 9457)", "application/problem+json", _PROBLEM)},
        },
    }


_RECORDS = {"article": "ExportedArticle", "change": "ExportedChange"}
_PROBLEM: Schema = {
    "type": "object",
    "properties": {"type": _STRING, "title": _STRING, "status": _INTEGER, "detail": _STRING},
}


def _operation(path: str, summary: str, query: dict[str, tuple[str, Schema]], record: str) -> dict[str, Any]:
    parameters = [{"name": "id", "in": "path", "required": True, "schema": _STRING}] if "{id}" in path else []
    parameters += [
        {"name": name, "in": "query", "description": text, "schema": schema} for name, (text, schema) in query.items()
    ]
    schema: Schema = {"$ref": f"#/components/schemas/{record}"} if record else {"type": "object"}
    if path in ("/api/v1/articles", "/api/v1/changes"):
        items = {path.rpartition("/")[2]: {"type": "array", "items": schema}}
        schema = {"type": "object", "properties": items}
    refused = {"$ref": "#/components/responses/Problem"}
    responses: Schema = {"200": _answer(summary, "application/json", schema), "400": refused, "503": refused}
    if "{id}" in path:
        responses["404"] = refused
    return {
        "summary": summary,
        "operationId": path.removeprefix("/api/v1/").replace("/{id}", "_by_id"),
        "parameters": parameters,
        "responses": responses,
    }


def _answer(text: str, media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {media: {"schema": schema}}}
