"""The receipt of a run: its order, its finds and their outcomes, and why it ended."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from schemas.article import Outcome
from schemas.coverage import WindowRead


class ExitReason(StrEnum):
    """Why a run ended. The command line translates it into an exit code."""

    DONE = "done"
    NOTHING_NEW = "nothing_new"  # the sources responded, and the archive already had everything
    NOTHING_DISCOVERED = "nothing_discovered"  # no source named a single article
    LAYOUT_CHANGED = "layout_changed"
    SOURCE_SILENT = "source_silent"  # a source that used to name articles names none
    BLOCKED = "blocked"
    OFFLINE = "offline"  # no host could be reached
    PARTLY_FAILED = "partly_failed"
    INTERRUPTED = "interrupted"


class SourceEnd(StrEnum):
    """Why the reading of a source ended."""

    OVERLAP = "overlap"  # reached what the previous run had read
    END = "end"  # reached the end of the source
    CAP = "cap"  # reached the source's limit (1,000 results, a page that repeats)
    EMPTY = "empty"  # the source stated explicitly that there is nothing
    FORBIDDEN = "forbidden"  # robots.txt
    NO_KEY = "no_key"  # no API key, or a rejected one
    BLOCKED = "blocked"
    FAILED = "failed"
    LAYOUT_CHANGED = "layout_changed"
    SILENT = "silent"  # it named nothing, and used to name something
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The reading of one source: pages requested, items seen, items that Naver does not host, and the requested window
    with its unread parts."""

    source: str
    end: SourceEnd
    reason: str
    pages: int = 0
    items: int = 0
    not_hosted: int = 0
    watermark: datetime | None = None
    window: WindowRead | None = None


class Step(NamedTuple):
    """What a run does once its finds have ended, and how much of it is done; both 0: not known yet."""

    name: str
    done: int = 0
    total: int = 0


@dataclass(slots=True)
class Receipt:
    """The receipt of a run. It grows during the run; `finds` is always the sum of `outcomes`.

    `discovered`: finds so far, of which `finds` have ended. `faults`: the first few articles that failed or were
    refused, id -> reason. `refused`: files that an import did not accept, file -> reason; `dialects`: files by
    dialect (`Document.dialect`, or `plain_text`); `comments_dropped`: comments in these files, which are not
    stored. `resting`: hosts that are paused for longer than the run waits, host -> reason. `seconds`: time by
    stage; stages overlap, so that the sum may exceed the duration of the run. `by_source`: source -> outcome ->
    finds. `hosts`: host -> number of requests, bytes, total and longest waiting time in seconds. `newest`: the
    first 50 articles that were stored as new, or are listed and on topic. `drift`: what no longer looks as before.
    `held`: the first 50 pages that were quarantined for that, id -> reason; `quarantined` is their total number.
    `gaps`: what was requested but not read; what robots.txt forbids is one line. `offline`: why no host could be
    reached. `topic_version` and `topic_threshold`: the rules by which texts were assessed (see
    `schemas.journal.RunStarted`). `handed_out`: the names of the chunks of finds that are for fetchers. `step` is for
    the display of a run while it runs, and not part of its JSON.
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
    offline: str = ""
    handed_out: list[str] = field(default_factory=list)
    topic_version: str | None = None
    topic_threshold: float | None = None
    step: Step | None = None

    @property
    def finds(self) -> int:
        return sum(self.outcomes.values())

    @property
    def not_hosted(self) -> int:
        return sum(source.not_hosted for source in self.sources)

    def spend(self, stage: str, seconds: float) -> None:
        """Add seconds to the time of a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def advance(self, step: str, done: int = 0, total: int = 0) -> None:
        """Record how much of a step is done."""
        self.step = Step(step, done, total)

    def as_json(self) -> dict[str, Any]:
        """The receipt as plain values, as printed by `seogo crawl --json`."""
        data = {key: _plain(value) for key, value in asdict(self).items() if key != "step"}
        data["seconds"] = {stage: round(spent, 3) for stage, spent in self.seconds.items()}
        return {**data, "finds": self.finds, "not_hosted": self.not_hosted}


def run_id_at(moment: datetime) -> str:
    """A name for a run, sortable by time: `20251230T082353Z-1f9c03ab`."""
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
