"""Converts the result of a find to rows of the database's tables, and rows to the values that the pipeline needs.

Text is normalised to NFC, so that a query finds it however it was typed. The hashes remain those of the original body,
as in the files and in the existing archive.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.article import Article, ArticleKey, ArticleRef, Outcome, content_hash, text_hash
from schemas.find import FindResult, Known, PlainText, Relevance, RevisionKind, Status
from schemas.nfc import nfc
from schemas.page import CaptureRef, Validators

Row = dict[str, Any]


def flat(one: Any) -> Row:
    """The fields of a dataclass with slots. `asdict`, which copies what is inside of them, takes ten times as long."""
    return {name: getattr(one, name) for name in one.__slots__}


def article_row(result: FindResult, run_id: str) -> Row | None:
    """The row of `articles` that follows from a result, or None."""
    if result.article is not None and result.revision_kind is not None:
        return _text_row(result, result.article, result.revision_kind, run_id)
    if result.outcome is Outcome.LISTED:
        return _listed_row(result, run_id)
    return None


def plain_text_row(text: PlainText, run_id: str) -> Row:
    """The row of `articles` for a text without a URL."""
    return {
        **relevance_columns(text.relevance),
        "id": text.id,
        "status": Status.IMPORTED.value,
        "body": text.body,
        "published_at": text.published_at,
        "kind": "text",
        "content_hash": content_hash(text.body),
        "text_hash": text_hash(text.body),
        "parser": text.parser,
        "revision": 1,
        "revision_kind": RevisionKind.IMPORTED.value,
        "source": text.source,
        "capture_file": text.capture.file,
        "capture_offset": text.capture.offset,
        "capture_length": text.capture.length,
        "run_id": run_id,
    }


def duplicate_row(result: FindResult, run_id: str) -> Row | None:
    """The row of `duplicates` that follows from a result, or None."""
    if result.duplicate_of is None or result.article is None:
        return None
    article = result.article
    return {
        "id": article.id,
        "duplicate_of": result.duplicate_of,
        "matched_by": result.matched_by,
        "title": _nfc(article.title),
        "publisher": _nfc(article.publisher),
        "byline": _nfc(article.byline),
        "published_at": article.published_at,
        "crawled_at": result.crawled_at,
        "url": article.url,
        "original_url": article.original_url,
        "content_hash": article.content_hash,
        "text_hash": article.text_hash,
        "source": result.ref.source,
        "run_id": run_id,
        **_capture_columns(result),
    }


def find_row(result: FindResult, run_id: str) -> Row:
    """The row of `finds`. Every result has one."""
    relevance = result.relevance
    return {
        "run_id": run_id,
        "id": result.ref.key.id,
        "source": result.ref.source,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "title": None if result.known else _nfc(result.ref.title),
        "seen_at": result.ref.seen_at,
        "relevance": relevance.score if relevance else None,
        "reasons": list(relevance.reasons) if relevance else None,
    }


def frontier_row(result: FindResult, run_id: str) -> Row | None:
    """The row of `frontier`, or None if nothing about the key changed."""
    if result.known:
        return None
    ref = result.ref
    off_topic = result.outcome is Outcome.OFF_TOPIC and result.relevance and result.relevance.on_topic is False
    return {
        **(_capture_columns(result) if off_topic else {}),  # journal entries from before migration 0007 have none
        "id": ref.key.id,
        "state": result.outcome.value,
        "tries": result.tries,
        "due_at": result.retry_at,
        "found_at": result.found_at or ref.seen_at,
        "url": ref.url,
        "source": ref.source,
        "title": _nfc(ref.title),
        "description": _nfc(ref.description),
        "publisher": _nfc(ref.publisher),
        "published_at": ref.published_at,
        "original_url": ref.original_url,
        "checked_at": result.crawled_at if result.outcome is not Outcome.LISTED else None,
        "refresh_at": result.refresh_at,
        "gone_at": result.gone_at,
        "etag": result.validators.etag if result.validators else None,
        "last_modified": result.validators.last_modified if result.validators else None,
        "run_id": run_id,
    }


def quarantine_row(result: FindResult, run_id: str) -> Row | None:
    """The row of `quarantine` that follows from a result, or None."""
    if not result.quarantined or result.capture is None:
        return None
    return {
        "id": result.ref.key.id,
        "url": result.ref.url,
        "reason": result.reason,
        "held_at": result.crawled_at,
        "run_id": run_id,
        **_capture_columns(result),
    }


def known_of(row: Row) -> Known:
    """What the archive knows of a key, from its joined rows of `articles` and `frontier`."""
    status = Status(row["status"]) if row["status"] else None
    # An imported article was never found by a crawl: it has no row in the frontier.
    state = Outcome(row["state"]) if row["state"] else Outcome.UNCHANGED
    return Known(
        id=row["id"],
        state=state,
        tries=row["tries"] or 0,
        due_at=row["due_at"],
        found_at=row["found_at"],
        status=status,
        title=row["title"],
        modified_at=row["modified_at"],
        content_hash=row["content_hash"],
        revision=row["revision"] or 0,
        file=row["file"],
        capture=capture_of(row),
        gone_at=row["gone_at"],
        validators=Validators(row["etag"], row["last_modified"]) if row["etag"] or row["last_modified"] else None,
    )


def capture_of(row: Mapping[str, Any]) -> CaptureRef | None:
    """The capture that a row names, if it names one. A snapshot of an older seogo has no lengths."""
    if not row["capture_file"]:
        return None
    return CaptureRef(row["capture_file"], row["capture_offset"], row.get("capture_length"))


def ref_of(row: Row, now: datetime) -> ArticleRef:
    """The find that is stored in a row of `frontier`, as if it had been seen at `now`."""
    return ArticleRef(
        key=ArticleKey.from_id(row["id"]),
        url=row["url"],
        source=row["source"],
        seen_at=now,
        title=row["title"],
        description=row["description"],
        publisher=row["publisher"],
        published_at=row["published_at"],
        original_url=row["original_url"],
    )


def _text_row(result: FindResult, article: Article, kind: RevisionKind, run_id: str) -> Row:
    imported = kind is RevisionKind.IMPORTED
    return {
        **_identity(result.ref),
        "status": (Status.IMPORTED if imported else Status.ARCHIVED).value,
        "title": _nfc(article.title),
        "subtitle": _nfc(article.subtitle),
        "body": _nfc(article.body),
        "description": _nfc(result.ref.description),
        "publisher": _nfc(article.publisher),
        "byline": _nfc(article.byline),
        "authors": [{"name": _nfc(a.name), "email": a.email} for a in article.authors],
        "categories": [_nfc(c) for c in article.categories],
        "published_at": article.published_at,
        "modified_at": article.modified_at,
        "original_url": article.original_url,
        "images": [{"url": i.url, "caption": _nfc(i.caption)} for i in article.images],
        "kind": article.kind.value,
        "content_hash": article.content_hash,
        "text_hash": article.text_hash,
        "parser": article.parser,
        "revision": result.revision,
        "revision_kind": kind.value,
        "file": result.file,
        "file_sha256": result.file_sha256,
        **_common(result, run_id),
    }


def _listed_row(result: FindResult, run_id: str) -> Row:
    ref = result.ref
    return {
        **_identity(ref),
        "status": Status.LISTED.value,
        "title": _nfc(ref.title),
        "description": _nfc(ref.description),
        "publisher": _nfc(ref.publisher),
        "published_at": ref.published_at,
        "original_url": ref.original_url,
        "revision": 1,
        "revision_kind": RevisionKind.NEW.value,
        **_common(result, run_id),
    }


def _identity(ref: ArticleRef) -> Row:
    return {"id": ref.key.id, "oid": ref.key.oid, "aid": ref.key.aid, "url": ref.key.url}


def _common(result: FindResult, run_id: str) -> Row:
    return {
        "crawled_at": result.crawled_at,
        **relevance_columns(result.relevance),
        "source": result.ref.source,
        "run_id": run_id,
        **_capture_columns(result),
    }


def relevance_columns(found: Relevance | None) -> Row:
    """The columns of `articles` that depend on the topic file."""
    return {
        "relevance": found.score if found else None,
        "reasons": list(found.reasons) if found else [],
        "teams": list(found.teams) if found else [],
        "models": [one._asdict() for one in found.models] if found and found.models is not None else None,
        "on_topic": found.on_topic if found else None,
    }


def _capture_columns(result: FindResult) -> Row:
    capture = result.capture
    return {
        "capture_file": capture.file if capture else None,
        "capture_offset": capture.offset if capture else None,
        "capture_length": capture.length if capture else None,
    }


def _nfc(text: str | None) -> str | None:
    return None if text is None else nfc(text)
