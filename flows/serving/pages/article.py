"""The page of an article: its text with its revisions, copies, story; its downloads; the capture behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flows.reports.history import History, articles_with_events, compare, history_of
from flows.serving.content.stories import members, story, story_of
from flows.serving.context import answer, attachment, library, page, reading
from flows.serving.outputs import json_bytes
from schemas.article import SEOUL
from schemas.errors import ArchiveDamaged, BadInput
from schemas.page import RawPage
from storage.captures.reader import read_page
from storage.database.rows import capture_of
from storage.exports.records import chosen_records
from storage.files import inside
from storage.reading.shared import Row, Snapshot

_ID = re.compile(r"[A-Za-z0-9_]{1,80}")
_MOST_DIFF = 200_000
"""Characters of two texts that are compared; longer ones are only listed."""
_COPIES = (
    "SELECT id, title, publisher, url, published_at FROM duplicates WHERE duplicate_of = ? ORDER BY published_at, id"
)
_FRAME = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_SECRET = re.compile(r"cookie|auth|key|token|secret", re.IGNORECASE)


class NotFound(BadInput):
    """There is nothing at an address."""


def known_id(request: Request) -> str:
    """The id in the address. Raises NotFound for what cannot be one."""
    found = request.path_params["id"]
    if not _ID.fullmatch(found):
        raise NotFound("There is no article with this id.")
    return str(found)


def article(request: Request) -> Response:
    """`/article/{id}`, with `?revision=N` or `?as_of=2025-12-30T09:00` an older text."""
    id_ = known_id(request)
    with reading(request) as snapshot:
        found = _history(snapshot, id_, library(request).texts(snapshot, [id_]).get(id_))
        row = dict(_chosen(found, request))
        state = snapshot.row("SELECT gone_at FROM frontier WHERE id = ?", [id_])
        name = story_of(snapshot, id_)
        found_story = story(snapshot, name) if name else None
        is_newest = row["revision"] == found.revisions[-1]["revision"]
        sentences = _sentences(request, snapshot, found_story[1], id_) if found_story and is_newest else None
        copies = snapshot.rows(_COPIES, [id_])
    return page(
        request,
        "article.html",
        row=row,
        gone_at=state["gone_at"] if state else None,
        newest=found.revisions[-1]["revision"],
        as_of=request.query_params.get("as_of", ""),
        steps=list(found.steps),
        changes=_changes(found),
        copies=copies,
        story=found_story,
        sentences=sentences,
        cite=citation(row, f"{request.base_url}article/{id_}"),
    )


def _sentences(
    request: Request, snapshot: Snapshot, rows: Sequence[Row], id_: str
) -> Sequence[tuple[str, bool]] | None:
    """The sentences of an article, and whether an earlier one of its story has them."""
    ids = [row["id"] for row in rows]
    if id_ not in ids:
        return None
    until = ids.index(id_) + 1
    return members(rows[:until], library(request).texts(snapshot, ids[:until]))[-1].sentences


def _history(snapshot: Snapshot, id_: str, text: str | None) -> History:
    has_events = "events" in snapshot.tables
    with snapshot.cursor() as cursor:
        # Found once: to look for the events of one article reads those of all.
        eventful = snapshot.kept("with events", lambda: articles_with_events(cursor)) if has_events else frozenset()
        found = history_of(cursor, id_, has_events=has_events, text=text, only_texts=id_ not in eventful)
    if found is None:
        first = snapshot.row("SELECT duplicate_of FROM duplicates WHERE id = ?", [id_])
        if first:
            raise Moved(first["duplicate_of"])
        raise NotFound(f"There is no article {id_} in the archive.")
    return found


class Moved(NotFound):
    """The article has the text of another, which is shown instead."""

    def __init__(self, article_id: str) -> None:
        super().__init__(f"The text is that of {article_id}.")
        self.article_id = article_id


def _chosen(found: History, request: Request) -> Mapping[str, Any]:
    revision, time = request.query_params.get("revision"), request.query_params.get("as_of")
    if time:
        return found.as_of(_korean_time(time))
    if not revision:
        return found.revisions[-1]
    if not re.fullmatch(r"[0-9]{1,6}", revision, re.ASCII):
        raise BadInput("revision: expected a number such as 1.")
    return found.revision(int(revision))


def _korean_time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput("as_of: expected a Korean time such as 2025-12-30T09:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=SEOUL)


def _changes(found: History) -> list[tuple[int, int, dict[str, Any]]]:
    """The word diffs of successive revisions, newest first: old number, new number, hunks by field."""
    pairs = list(zip(found.revisions, found.revisions[1:], strict=False))[-10:]
    small = [(a, b) for a, b in pairs if len(a["body"] or "") + len(b["body"] or "") <= _MOST_DIFF]
    return [(a["revision"], b["revision"], compare(a, b)) for a, b in reversed(small)]


def citation(row: Mapping[str, Any], address: str) -> str:
    """How an article is cited: authors, title, publisher, time, its address at Naver, when it was archived."""
    published = row["published_at"]
    parts = [
        "·".join(one["name"] for one in row["authors"] or () if one["name"]) or row["byline"] or "",
        f"「{row['title'] or row['id']}」",
        row["publisher"] or "",
        f"{published.astimezone(SEOUL):%Y-%m-%d %H:%M}" if published else "",
        row["url"] or "",
        f"seogo {address}, {row['revision']}판, {row['crawled_at'].astimezone(SEOUL):%Y-%m-%d %H:%M} 수집"
        if isinstance(row["crawled_at"], datetime)
        else f"seogo {address}",
    ]
    return ", ".join(part for part in parts if part) + "."


def as_json(request: Request) -> Response:
    """`/article/{id}.json`: the exported record."""
    return answer(request, json_bytes(record(request, known_id(request))), "application/json")


def record(request: Request, id_: str) -> Any:
    """The exported record of an article. Raises NotFound."""
    with reading(request) as snapshot, snapshot.cursor() as cursor:
        found = chosen_records(cursor, "WHERE a.id = ?", [id_])
    if not found:
        raise NotFound(f"There is no article {id_} in the archive.")
    return found[0]


def as_markdown(request: Request) -> Response:
    """`/article/{id}.md`: its file as it lies in the archive."""
    id_ = known_id(request)
    with reading(request) as snapshot:
        row = snapshot.row("SELECT file FROM articles WHERE id = ?", [id_])
    if row is None or not row["file"]:
        raise NotFound(f"{id_} has no Markdown file: only what its source said is kept.")
    try:
        data = inside(library(request).root, row["file"]).read_bytes()
    except OSError as error:
        raise ArchiveDamaged(f"{row['file']} cannot be read. Run: seogo verify") from error
    return answer(request, data, "text/markdown; charset=utf-8", headers=attachment(f"{id_}.md"))


# -- the capture


def capture(request: Request) -> Response:
    """`/article/{id}/capture`: the response that the text was extracted from."""
    id_, found, row = _capture(request)
    headers = [(name, "…" if _SECRET.search(name) else value) for name, value in found.headers]
    return page(request, "capture.html", id=id_, row=row, capture=found, headers=headers)


def captured_page(request: Request) -> Response:
    """`/article/{id}/capture/page`: the page as it was, in a sandbox without scripts and without network."""
    _, found, _ = _capture(request)
    media = next((value for name, value in found.headers if name.lower() == "content-type"), "")
    kind = "text/html" if "html" in media.lower() else "text/plain"
    charset = re.search(r"charset=([A-Za-z0-9_-]+)", media)
    headers = {"Content-Security-Policy": _FRAME}
    return answer(request, found.content, f"{kind}; charset={charset[1] if charset else 'utf-8'}", headers=headers)


def _capture(request: Request) -> tuple[str, RawPage, Row]:
    id_ = known_id(request)
    if library(request).is_public:
        raise NotFound("Captures are not shown by a public server.")
    with reading(request) as snapshot:
        row = snapshot.row("SELECT title, COLUMNS('capture_.*') FROM articles WHERE id = ?", [id_])
    if row is None or (capture := capture_of(row)) is None:
        raise NotFound(f"There is no capture of {id_}.")
    return id_, read_page(library(request).root, capture), row
