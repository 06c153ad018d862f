"""A find in the archive: what is known of its key, and how it ended.

Known         what the archive holds of a key, as the basis for decisions
FindResult    how a find ended, and what is stored because of it
PlainText     a text of the existing archive whose URL is unknown
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from schemas.article import Article, ArticleRef, Outcome
from schemas.page import CaptureRef, Validators


class Status(StrEnum):
    """How much of an article the archive holds (column `status` of `articles`)."""

    ARCHIVED = "archived"  # text and file
    LISTED = "listed"  # only what a source returned; robots.txt forbids the page
    IMPORTED = "imported"  # from an existing archive, not yet found by a crawl


class RevisionKind(StrEnum):
    """Why a text was stored (column `revision_kind`)."""

    NEW = "new"
    IMPORTED = "imported"
    EDITED = "edited"  # the publisher changed it
    RE_EXTRACTED = "re-extracted"  # parsed again, with a better result


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive holds of a key. `state` is the outcome of its last find.

    `status` is None if there is no row in `articles`. `due_at` is when a failed find is to be retried (None: not
    automatically). `found_at` is the start of the run that first found the key (None: imported, not found by a run).
    `capture` contains the newest text, `validators` come from its response, `modified_at` from its page. `gone_at` is
    when the deletion was noticed.
    """

    id: str
    state: Outcome
    tries: int = 0
    due_at: datetime | None = None
    found_at: datetime | None = None
    status: Status | None = None
    title: str | None = None
    content_hash: str | None = None
    revision: int = 0
    file: str | None = None
    capture: CaptureRef | None = None
    validators: Validators | None = None
    gone_at: datetime | None = None
    modified_at: datetime | None = None


class TeamModel(NamedTuple):
    """A team's model that a text names; both as spelled in the topic file."""

    team: str
    model: str


@dataclass(frozen=True, slots=True)
class Relevance:
    """How relevant a text is to the topic, and why (each reason is readable by itself); the teams and models it names.

    `on_topic`: whether that is enough for the topic. Teams and models of an off-topic text are left out: there,
    솔라 may be solar energy. `models` and `on_topic` are None if they were not determined, as in older versions.
    """

    score: float
    reasons: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    models: tuple[TeamModel, ...] | None = None
    on_topic: bool | None = None


@dataclass(frozen=True, slots=True)
class FindResult:
    """How a find ended. `reason` is a sentence for people. Fields that do not apply keep their defaults.

    `article` and `revision_kind`: a text to store as revision number `revision`. `duplicate_of`: the id of the article
    that first had this text. `retry_at`: when a failed find is to be retried. `refresh_at`: when an archived article is
    to be fetched again. `gone_at`: when the deletion was noticed. `quarantined`: the page is not published, and its
    capture waits in quarantine. `file` and `file_sha256` describe the Markdown file; the archive sets them.
    """

    ref: ArticleRef
    outcome: Outcome
    reason: str
    relevance: Relevance | None = None
    article: Article | None = None
    revision_kind: RevisionKind | None = None
    revision: int = 0
    file: str | None = None
    file_sha256: str | None = None
    duplicate_of: str | None = None
    matched_by: str | None = None
    capture: CaptureRef | None = None
    crawled_at: datetime | None = None
    tries: int = 0
    retry_at: datetime | None = None
    found_at: datetime | None = None
    known: bool = False  # nothing about the key changed: its row in the frontier is not updated
    refresh_at: datetime | None = None
    quarantined: bool = False
    validators: Validators | None = None
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text without a URL, imported from an existing archive: a row of `articles` without key and file."""

    id: str
    body: str
    published_at: datetime
    source: str
    parser: str
    capture: CaptureRef
    relevance: Relevance | None = None
