"""Topics derived from the demo's topic, and the replica's API key."""

from __future__ import annotations

from functools import cache
from typing import Any

from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.sources.api_keys import ApiKey
from schemas.topic import Topic, load_topic
from tests.support.paths import DEMO_TOPIC

KEYS = {"openapi": ApiKey(CLIENT_ID, CLIENT_SECRET)}


def demo_topic(*sources: dict[str, Any], queries: tuple[str, ...] | None = None, **limits: Any) -> Topic:
    """The demo's topic with these sources, queries and limits (default: its own)."""
    values = _demo_values()
    changes: dict[str, Any] = {"limits": {**values["limits"], **limits}}
    if sources:
        changes["sources"] = list(sources)
    if queries is not None:
        changes["queries"] = queries
    return Topic.model_validate({**values, **changes})


@cache
def _demo_values() -> dict[str, Any]:
    return load_topic(DEMO_TOPIC).model_dump(mode="json")


def press_list(*oids: str) -> dict[str, Any]:
    return {"type": "press_list", "oids": list(oids)}


def section_list(*sids: str) -> dict[str, Any]:
    return {"type": "section_list", "sids": list(sids)}
