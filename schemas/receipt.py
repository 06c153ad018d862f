"""A run's receipt: what it was asked, what it found, how each find ended, and why it stopped."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from schemas.article import Outcome
from schemas.coverage import WindowRead


class ExitReason(StrEnum):
    """Why a run ended. The command line turns it into an exit code."""

    DONE = "done"
    NOTHING_NEW = "nothing_new"  # the sources answered, and the archive held all of it
    NOTHING_DISCOVERED = "nothing_discovered"  # no source named a single article
    LAYOUT_CHANGED = "layout_changed"
    SOURCE_SILENT = "source_silent"  # a source that always named articles names none
    BLOCKED = "blocked"
    PARTLY_FAILED = "partly_failed"
    INTERRUPTED = "interrupted"


class SourceEnd(StrEnum):
    """Why the reading of a source ended."""

    OVERLAP = "overlap"  # reached what the last run had read
    END = "end"  # the source said that there is no more
    CAP = "cap"  # the source shows no more than this (1,000 results, a page that repeats)
    EMPTY = "empty"  # it said in words that there is nothing
    FORBIDDEN = "forbidden"  # robots.txt
    NO_KEY = "no_key"  # no API key given, or refused
    BLOCKED = "blocked"
    FAILED = "failed"
    LAYOUT_CHANGED = "layout_changed"
    SILENT = "silent"  # it named nothing, and always named something before
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class SourceReport:
    """How the reading of one source went: pages asked, items seen, of them those Naver does not host; the window that
    was asked for, with what of it was not read."""

    source: str
    end: SourceEnd
    reason: str
    pages: int = 0
    items: int = 0
    not_hosted: int = 0
    watermark: datetime | None = None
    window: WindowRead | None = None


@dataclass(slots=True)
class Receipt:
    """The account of a run. Grows while it runs; `finds` is always the sum of `outcomes`.

    `discovered`: finds taken up so far, of which `finds` have ended. `faults`: the first few articles that failed or
    were refused, id -> reason. `refused`: what an import did not take, file -> reason; `dialects`: how many files it
    read in each dialect (`Document.dialect`, or `plain_text`); `comments_dropped`: how many comments these files hold,
    which no article has. `resting`: hosts that asked for a pause longer than the run waits. `seconds` tells where
    the time went, by stage; stages overlap, so they may add up to more than the run took. `by_source`: source ->
    outcome -> finds. `hosts`: host -> requests, bytes, seconds waited in all and for the slowest. `newest`: the first
    50 articles that were stored as new. `drift`: what no longer looks as it always did; `held`: the first 50 pages
    that are kept out of the archive for it, id -> why, of `quarantined` in all. `gaps`: what was asked for and not
    read. `topic_version` and `topic_threshold`: by which rules texts were assessed (see `schemas.journal.RunStarted`).
    """

    run_id: str
    command: str
    topic: str | None
    started_at: datetime
    finished_at: datetime | None = None
    exit_reason: ExitReason | None = None
    explanation: str = ""
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    sources: list[SourceReport] = field(default_factory=list)
    requests: int = 0
    bytes: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    robots: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    dialects: dict[str, int] = field(default_factory=dict)
    comments_dropped: int = 0
    resting: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    discovered: int = 0
    pages_read: int = 0
    layout_faults: int = 0
    by_source: dict[str, dict[str, int]] = field(default_factory=dict)
    hosts: dict[str, dict[str, float]] = field(default_factory=dict)
    newest: list[dict[str, str | None]] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    quarantined: int = 0
    gaps: list[str] = field(default_factory=list)
    topic_version: str | None = None
    topic_threshold: float | None = None

    @property
    def finds(self) -> int:
        return sum(self.outcomes.values())

    @property
    def not_hosted(self) -> int:
        return sum(source.not_hosted for source in self.sources)

    def spend(self, stage: str, seconds: float) -> None:
        """Add to the time of a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def as_json(self) -> dict[str, Any]:
        """The receipt as plain values (what `seogo crawl --json` prints)."""
        data = {key: _plain(value) for key, value in asdict(self).items()}
        data["seconds"] = {stage: round(spent, 3) for stage, spent in self.seconds.items()}
        return {**data, "finds": self.finds, "not_hosted": self.not_hosted}


def run_id_at(moment: datetime) -> str:
    """A name for a run that sorts by time: `20251230T082353Z-1f9c03ab`."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case StrEnum():
            return value.value
        case Mapping():
            return {str(_plain(k)): _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(v) for v in value]
        case _:
            return value
