"""The journal of a run: what it decided, entry by entry, in the order in which the database takes it up.

RunStarted       the run's first entry
BatchStored      how a batch of finds ended, with all that is stored because of it
RunEnded         the run's last entry: its receipt, and how far each source was read
TextsReassessed  texts whose score, teams or models changed with the topic file
RowsRestated     rows whose own entry was damaged: what the database still knew of them

Each entry is kept beside the raw answers before it is committed. The database is what carrying out all entries of all
runs, in their order, comes to: it can be made anew from them, and a commit that a kill prevented is made up for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.coverage import WindowRead
from schemas.find import FindResult, PlainText, Relevance
from schemas.front_matter.styles import Style
from schemas.page import RequestRecord


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began. `topic` is the name of its topic.

    `number` counts the archive's runs: their order, whatever a clock that was set back says. `topic_version` is a
    digest of the rules by which the run assesses texts, `topic_threshold` the score from which they are on topic; None
    for a run that assesses none, and in entries from before they were recorded.
    """

    run_id: str
    number: int
    command: str
    topic: str | None
    started_at: datetime
    topic_version: str | None = None
    topic_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class BatchStored:
    """A batch of a run, counted from 1. The ids in it differ; `style` is that of the Markdown files it wrote.

    `coverage`: windows whose finds are all stored with this batch or before it.
    """

    run_id: str
    number: int
    style: Style
    results: tuple[FindResult, ...]
    requests: tuple[RequestRecord, ...] = ()
    texts: tuple[PlainText, ...] = ()
    coverage: tuple[WindowRead, ...] = ()


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run ended by itself. `receipt` is its account as plain values; `requests` and `coverage` those that no batch
    told of."""

    run_id: str
    receipt: Mapping[str, Any]
    watermarks: Mapping[str, datetime]
    requests: tuple[RequestRecord, ...] = ()
    coverage: tuple[WindowRead, ...] = ()


@dataclass(frozen=True, slots=True)
class Reassessment:
    """How relevant a text of the archive is by today's topic file."""

    id: str
    revision: int
    relevance: Relevance


@dataclass(frozen=True, slots=True)
class TextsReassessed:
    """Texts that were assessed again and differ. `number` counts with the batches of the run; the ids differ."""

    run_id: str
    number: int
    texts: tuple[Reassessment, ...]


@dataclass(frozen=True, slots=True)
class RowsRestated:
    """Rows of one table, as plain values, that a repair took from the database because their own entry is damaged.

    `number` counts the entries of the repair's run, from 1. `absent`: rows that the damaged entry had removed (the
    columns that tell them apart), which without it would come back.
    """

    run_id: str
    number: int
    table: str
    rows: tuple[Mapping[str, Any], ...]
    absent: tuple[Mapping[str, Any], ...] = ()


Entry = RunStarted | BatchStored | RunEnded | TextsReassessed | RowsRestated
