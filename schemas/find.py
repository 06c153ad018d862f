"""A find on its way through the archive: what is known of its key, and how it ended.

Known         what the archive holds under a key (a slice of the store, for deciding)
FindResult    how a find ended, and what is to be stored because of it
PlainText     a text of an older archive that nobody knows an address of
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
    LISTED = "listed"  # what a source said of it; robots.txt forbids the page
    IMPORTED = "imported"  # from an older archive, not yet seen by a crawl


class RevisionKind(StrEnum):
    """Why a text was stored (column `revision_kind`)."""

    NEW = "new"
    IMPORTED = "imported"
    EDITED = "edited"  # the publisher changed it
    RE_EXTRACTED = "re-extracted"  # the archive's own text got better: same article, read anew


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive holds under a key. `state` is how the last find of it ended.

    `status` None: there is no row in `articles`. `due_at`: when a find that
    failed is to be tried again (None: never by itself). `found_at`: the start of the run that first found the key
    (None: it was imported, no run has found it). `capture` is where the newest text was read from, `validators` what
    the server said with its newest page, `modified_at` what the page itself said. `gone_at`: since when it is known to
    be deleted.
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
    """A team's model that a text names, both as the topic file writes them."""

    team: str
    model: str


@dataclass(frozen=True, slots=True)
class Relevance:
    """How much a text is about the topic, and why (each reason readable by itself); which teams and models it names.

    `on_topic`: whether that is enough for the topic. Teams and models of a text that is off topic are left out: there,
    솔라 may be solar energy. `models` and `on_topic` are None in entries from before they were determined.
    """

    score: float
    reasons: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    models: tuple[TeamModel, ...] | None = None
    on_topic: bool | None = None


@dataclass(frozen=True, slots=True)
class FindResult:
    """How a find ended. `reason` is a sentence for people; what is stored beside it is None where nothing is.

    `article` with `revision_kind`: a text to store, as revision number `revision`. `duplicate_of`: the id that the
    text points at. `retry_at`: when a find that failed is to be tried again; `refresh_at`: when one that is archived is
    to be looked at again; `gone_at`: since when it is deleted. `quarantined`: its page is kept out of the archive, and
    its capture for later. `file` and `file_sha256` are those of the Markdown file that shows the text: the archive
    fills them in.
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
    known: bool = False  # nothing about the key changed: its row in the frontier stays as it is
    refresh_at: datetime | None = None
    quarantined: bool = False
    validators: Validators | None = None
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text without address, imported from an older archive: a row of `articles` without a key and without a file."""

    id: str
    body: str
    published_at: datetime
    source: str
    parser: str
    capture: CaptureRef
    relevance: Relevance | None = None
