"""Documents for the search index, with only what a test cares about given."""

from __future__ import annotations

from typing import Any

from storage.search.index import Document
from tests.support.values import key


def a_document(number: int = 1, text: str = "", **given: Any) -> Document:
    whole: dict[str, Any] = {
        "id": key(number).id,
        "revision": 1,
        "title": "",
        "text": text,
        "publisher": "가온신문",
        "published": 1_767_000_000 + 60 * number,
        "status": "archived",
        "gone": False,
        "on_topic": None,
        "teams": "\n\n",
        "models": "\n\n",
    }
    return Document(**{**whole, **given})
