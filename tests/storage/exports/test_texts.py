"""What the exports make of a text, whatever is in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from storage.exports.atom import feed
from storage.exports.jsonl import line

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\n\x85\u2028\u202e\x00&<>[]()*_`\\\"'가"))
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@given(TEXTS, st.none() | TEXTS)
def test_a_record_is_one_line_and_comes_back(title: str, body: str | None) -> None:
    record = {"title": title, "body": body, "relevance": 1.5, "teams": [title], "images": [{"url": title}]}
    data = line(json.dumps(record, ensure_ascii=False))
    assert json.loads(data) == record
    assert len(data.decode().splitlines()) == len(data.splitlines()) == 1


@given(TEXTS, TEXTS)
def test_a_feed_can_be_read_whatever_is_in_it(title: str, text: str) -> None:
    row: dict[str, Any] = dict.fromkeys(("subtitle", "publisher", "authors", "categories"))
    row |= {"url": "https://example.org/1", "title": title, "text": text, "teams": [title]}
    row |= dict.fromkeys(("published_at", "updated_at"), NOW)
    entry = ET.fromstring(feed([row], "urn:x"))[-1]  # noqa: S314  our own
    shown = entry.findtext("{http://www.w3.org/2005/Atom}title") or ""
    # XML reads \r as \n; what it cannot hold at all is left out.
    kept = (c for c in title if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    assert shown.replace("\r", "\n") == "".join(kept).replace("\r\n", "\n").replace("\r", "\n")
