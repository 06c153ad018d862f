"""The journal of a run: its decisions, entry by entry, in the order in which they are committed to the database.

RunStarted    the first entry of a run
BatchStored   how a batch of finds ended, with everything that is stored because of it
RunEnded      the last entry of a run: its receipt, and how far each source was read
TextsReassessed  texts whose score, teams, models or publisher were determined anew and differ
PairsFound    near-duplicates of texts that have changed
RowsRestated  rows of a damaged entry, as the database still had them

Each entry is written next to the raw responses before it is committed. The database is the result of replaying all
entries of all runs in order: it can be rebuilt from them, and a commit that was prevented by a kill can be repeated.
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
from schemas.segment import SegmentTaken


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The start of a run. `topic` is the name of its topic.

    `number` counts the runs of the archive. It defines their order, even if the clock has been set back.
    `topic_version` is a digest of the rules by which the run assesses texts, `topic_threshold` the score from which
    they are on topic; both are None for a run that assesses none, and in older entries.
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
    """A batch of a run, numbered from 1. No id occurs twice; `style` is the style of its Markdown files.

    `coverage`: windows whose finds have all been stored by this batch or an earlier one. `segment`: the segment whose
    finds these are.
    """

    run_id: str
    number: int
    style: Style
    results: tuple[FindResult, ...]
    requests: tuple[RequestRecord, ...] = ()
    texts: tuple[PlainText, ...] = ()
    coverage: tuple[WindowRead, ...] = ()
    segment: SegmentTaken | None = None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The regular end of a run: its receipt as plain values, and the requests and coverage that no batch contains."""

    run_id: str
    receipt: Mapping[str, Any]
    watermarks: Mapping[str, datetime]
    requests: tuple[RequestRecord, ...] = ()
    coverage: tuple[WindowRead, ...] = ()


@dataclass(frozen=True, slots=True)
class Reassessment:
    """How relevant a text of the archive is by today's topic file.

    `publisher`: the name of its press office, if the archive lacked it.
    """

    id: str
    revision: int
    relevance: Relevance
    publisher: str | None = None


@dataclass(frozen=True, slots=True)
class TextsReassessed:
    """Texts that were assessed again and differ. `number` counts with the batches of the run; the ids differ."""

    run_id: str
    number: int
    texts: tuple[Reassessment, ...]


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two articles with much text in common; `a` is the smaller id.

    `shared`: the number of shingles that both texts have. `of_a`, `of_b`: the share, 0 to 1, that these are of each
    text's own.
    """

    a: str
    b: str
    shared: int
    of_a: float
    of_b: float


@dataclass(frozen=True, slots=True)
class PairsFound:
    """`pairs`: all near-duplicates of the articles `ids`. They replace those that the articles had.

    `number` counts with the batches of the run. `until`: the number of the newest change that has been followed.
    """

    run_id: str
    number: int
    found_at: datetime
    ids: tuple[str, ...]
    pairs: tuple[NearDuplicate, ...]
    until: int


@dataclass(frozen=True, slots=True)
class RowsRestated:
    """Rows of one table as plain values, which a repair copied from the database because their entry is damaged.

    `number` counts the entries of the repair's run, from 1. `absent`: the identifying columns of rows that the damaged
    entry had removed and that would otherwise reappear.
    """

    run_id: str
    number: int
    table: str
    rows: tuple[Mapping[str, Any], ...]
    absent: tuple[Mapping[str, Any], ...] = ()


Entry = RunStarted | BatchStored | RunEnded | TextsReassessed | PairsFound | RowsRestated
