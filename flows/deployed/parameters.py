"""What a deployment can set, as the forms in Prefect's UI show it. Keys are not among it: see blocks.py."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flows.runs.settings import naver_from, topic_from
from schemas.article import SEOUL
from schemas.topic import Topic, default_topic_path


class Place(BaseModel):
    """Which archive, and how long to wait for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    archive: str | None = Field(
        default=None, description="The archive directory. Empty: SEOGO_ARCHIVE of the worker, or `archive`."
    )
    wait_seconds: float = Field(
        default=60.0, ge=0, description="Wait this long for another process to leave the archive, then end as Busy."
    )

    @property
    def path(self) -> Path:
        """The archive's folder."""
        return Path(self.archive or os.environ.get("SEOGO_ARCHIVE") or "archive")

    @property
    def where(self) -> str:
        """The folder's name, for a run's name."""
        return self.path.name or str(self.path)


class TopicPlace(Place):
    """An archive and the topic that is crawled into it."""

    topic: str | None = Field(
        default=None, description="The topic file. Empty: SEOGO_TOPIC of the worker, or the one that ships."
    )

    @property
    def subject(self) -> str:
        """The topic file's name, for a run's name: known before the file is read."""
        return self._topic_path.stem

    @property
    def _topic_path(self) -> Path:
        chosen = self.topic or os.environ.get("SEOGO_TOPIC")
        return Path(chosen) if chosen else default_topic_path()

    def read_topic(self) -> Topic:
        """Raises TopicError."""
        return topic_from(self._topic_path)


class Fetching(TopicPlace):
    """A run that asks Naver for pages."""

    limit: int | None = Field(
        default=None, ge=1, description="Fetch at most this many articles. Empty: as the topic says."
    )


class CrawlParameters(Fetching):
    """New articles."""

    since: datetime | None = Field(
        default=None,
        description="Read the sources anew from this (Korean) time on. Empty: go on where the last run was.",
    )

    @field_validator("since")
    @classmethod
    def _in_korea(cls, since: datetime | None) -> datetime | None:
        """A time without a zone is Korean time, as on the command line."""
        return since.replace(tzinfo=SEOUL) if since and since.tzinfo is None else since


class RefreshParameters(Fetching):
    """Known articles again."""


class BackfillParameters(Fetching):
    """A range of days, or the gaps."""

    first: date | None = Field(default=None, description="The first (Korean) day. Empty with `last_days` or `gaps`.")
    last: date | None = Field(default=None, description="The last day. Empty: up to today.")
    last_days: int | None = Field(
        default=None, ge=1, le=366, description="Instead of `first` and `last`: this many days up to today."
    )
    sources: tuple[str, ...] = Field(
        default=(), description="Only these sources, such as `section_list:105`. Empty: all of the topic's."
    )
    again: bool = Field(default=False, description="Read days again that were read to their end.")
    gaps: bool = Field(default=False, description="Close the gaps that the coverage ledger holds.")

    @model_validator(mode="after")
    def _one_range(self) -> BackfillParameters:
        ways = [self.first is not None or self.last is not None, self.last_days is not None, self.gaps]
        if sum(ways) > 1:
            raise ValueError("give `first` and `last`, or `last_days`, or `gaps`: not two of them")
        if self.first and self.last and self.last < self.first:
            raise ValueError(f"the last day ({self.last}) lies before the first ({self.first})")
        return self

    def days(self, today: date) -> tuple[date | None, date | None]:
        """The first and the last day; `last_days` are counted back from `today`."""
        if self.last_days is not None:
            return today - timedelta(days=self.last_days - 1), today
        return self.first, self.last or (today if self.first else None)

    @property
    def window(self) -> str:
        """For a run's name."""
        if self.gaps:
            return "the gaps"
        if self.last_days is not None:
            return f"the last {self.last_days} days"
        return f"{self.first or ''}..{self.last or ''}"


class ReparseParameters(TopicPlace):
    """Texts derived once more from their captures."""

    since: date | None = Field(default=None, description="Only articles crawled on this (Korean) day or later.")
    ids: tuple[str, ...] = Field(default=(), description="Only these articles, such as `001_0016361303`.")
    dry_run: bool = Field(default=False, description="Compare, and store nothing.")
    quarantined: bool = Field(default=False, description="Instead: the pages that wait in quarantine.")
    accept: bool = Field(default=False, description="With `quarantined`: take the pages as they are; it was no change.")

    @model_validator(mode="after")
    def _accept_what(self) -> ReparseParameters:
        if self.accept and not self.quarantined:
            raise ValueError("`accept` is for `quarantined`")
        return self

    @property
    def since_time(self) -> datetime | None:
        return datetime.combine(self.since, datetime.min.time(), SEOUL) if self.since else None

    @property
    def what(self) -> str:
        """For a run's name."""
        return "the quarantine" if self.quarantined else "texts"


class ReassessParameters(TopicPlace):
    """All texts by today's topic file."""

    dry_run: bool = Field(default=False, description="Compare, and store nothing.")


class ReportParameters(Place):
    """A report of the last days."""

    days: int = Field(default=7, ge=1, le=366, description="How many days the report tells of.")


def stand_in() -> str | None:
    """What stands in for Naver: SEOGO_NAVER of the worker. Raises BadInput."""
    return naver_from(os.environ)
