"""What a deployment can set; Prefect's UI makes forms of it. The API's keys are not parameters: see blocks.py.

The fields of a model are the parameters of its flow (see run_flow.py): `prefect deployment run … -p first=2025-12-01`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from flows.runs.settings import naver_from, topic_from
from schemas.article import SEOUL
from schemas.errors import BadInput
from schemas.topic import Topic, default_topic_path

P = TypeVar("P", bound=BaseModel)


class ArchiveParameters(BaseModel):
    """Which archive, and how long to wait for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    archive: str | None = Field(
        default=None, description="The archive directory. Empty: SEOGO_ARCHIVE of the worker, or `archive`."
    )
    wait_seconds: float = Field(
        default=60.0, ge=0, description="Wait this long if another process writes to the archive, then end as Busy."
    )

    @property
    def archive_path(self) -> Path:
        return Path(self.archive or os.environ.get("SEOGO_ARCHIVE") or "archive")

    @property
    def archive_name(self) -> str:
        """The directory's name, for the name of a run."""
        return self.archive_path.name or str(self.archive_path)

    def run_name(self, flow: str) -> str:
        """The name of a run of `flow` with these parameters."""
        return f"{flow} {self.archive_name}"


class TopicParameters(ArchiveParameters):
    """An archive and its topic."""

    topic: str | None = Field(
        default=None, description="The topic file. Empty: SEOGO_TOPIC of the worker, or the built-in one."
    )

    @property
    def topic_name(self) -> str:
        """The topic file's name, for the name of a run: known before the file is read."""
        return self._topic_path.stem

    @property
    def _topic_path(self) -> Path:
        chosen = self.topic or os.environ.get("SEOGO_TOPIC")
        return Path(chosen) if chosen else default_topic_path()

    def read_topic(self) -> Topic:
        """Raises TopicError."""
        return topic_from(self._topic_path)

    def run_name(self, flow: str) -> str:
        return f"{flow} {self.topic_name} in {self.archive_name}"


class FetchParameters(TopicParameters):
    """A run that fetches pages from Naver."""

    limit: int | None = Field(
        default=None, ge=1, description="Fetch at most this many articles. Empty: as the topic says."
    )


class AddingParameters(FetchParameters):
    """A run that may begin an archive."""

    create: bool = Field(
        default=False,
        description="Begin an archive if there is none. Not for a schedule: an archive that vanished must be noticed.",
    )

    def run_name(self, flow: str) -> str:
        return f"{flow} {self.topic_name} into {self.archive_name}"


class CrawlParameters(AddingParameters):
    """New articles."""

    since: datetime | None = Field(
        default=None,
        description="Read the sources again from this (Korean) time. Empty: continue where the last run ended.",
    )

    hand_out: bool = Field(
        default=False,
        description="Fetch no article here: hand them out, and start a run of `fetch/fetch-chunk` for each chunk.",
    )

    @field_validator("since")
    @classmethod
    def _in_korea(cls, since: datetime | None) -> datetime | None:
        """A time without a zone is Korean time, as on the command line."""
        return since.replace(tzinfo=SEOUL) if since and since.tzinfo is None else since


class TakeInParameters(TopicParameters):
    """What fetchers have put into the store."""

    create: bool = Field(default=False, description="Begin an archive if there is none. Not for a schedule.")

    def run_name(self, flow: str) -> str:
        return f"take-in into {self.archive_name}"


class RefreshParameters(FetchParameters):
    """Known articles that are due."""


class BackfillParameters(AddingParameters):
    """A range of days, or the gaps in coverage."""

    first: date | None = Field(default=None, description="The first (Korean) day. Empty with `last_days` or `gaps`.")
    last: date | None = Field(default=None, description="The last day. Empty: up to today.")
    last_days: int | None = Field(
        default=None, ge=1, le=366, description="Instead of `first` and `last`: this many days up to today."
    )
    sources: tuple[str, ...] = Field(
        default=(), description="Only these sources, such as `section_list:105`. Empty: all of the topic's."
    )
    again: bool = Field(default=False, description="Also read days that were read before.")
    gaps: bool = Field(default=False, description="Read the gaps in coverage.")

    @model_validator(mode="after")
    def _one_range(self) -> BackfillParameters:
        ways = [self.first is not None or self.last is not None, self.last_days is not None, self.gaps]
        if sum(ways) > 1:
            raise ValueError("give only one of `first` and `last`, `last_days`, and `gaps`")
        if self.first and self.last and self.last < self.first:
            raise ValueError(f"the last day ({self.last}) is before the first ({self.first})")
        return self

    def days(self, today: date) -> tuple[date | None, date | None]:
        """The first and the last day; `last_days` end with `today`."""
        if self.last_days is not None:
            return today - timedelta(days=self.last_days - 1), today
        return self.first, self.last or (today if self.first else None)

    @property
    def window(self) -> str:
        """For the name of a run."""
        if self.gaps:
            return "the gaps"
        if self.last_days is not None:
            return f"the last {self.last_days} days"
        return f"{self.first or ''}..{self.last or ''}"

    def run_name(self, flow: str) -> str:
        return f"{flow} {self.window} of {self.topic_name} into {self.archive_name}"


class ReparseParameters(TopicParameters):
    """The captures of the articles, or the pages in quarantine."""

    since: date | None = Field(default=None, description="Only articles crawled on this (Korean) day or later.")
    ids: tuple[str, ...] = Field(default=(), description="Only these articles, such as `001_0016361303`.")
    dry_run: bool = Field(default=False, description="Compare, and store nothing.")
    quarantined: bool = Field(default=False, description="The pages in quarantine instead.")
    accept: bool = Field(
        default=False, description="With `quarantined`: accept the pages, and their layout as the new normal."
    )

    @model_validator(mode="after")
    def _accept_what(self) -> ReparseParameters:
        if self.accept and not self.quarantined:
            raise ValueError("`accept` needs `quarantined`")
        return self

    @property
    def since_time(self) -> datetime | None:
        return datetime.combine(self.since, datetime.min.time(), SEOUL) if self.since else None

    @property
    def what(self) -> str:
        """For the name of a run."""
        return "the quarantine" if self.quarantined else "the captures"

    def run_name(self, flow: str) -> str:
        return f"{flow} {self.what} of {self.archive_name}"


class ReassessParameters(TopicParameters):
    """All texts by today's topic file."""

    dry_run: bool = Field(default=False, description="Compare, and store nothing.")


class ReportParameters(TopicParameters):
    """A report of the last days."""

    days: int = Field(default=7, ge=1, le=366, description="How many days, including today.")

    def run_name(self, flow: str) -> str:
        return f"{flow} of {self.days} days of {self.archive_name}"


class PublishParameters(TopicParameters):
    """An archive, the topic whose webhooks get the changes, and where exports go besides the archive's directory."""

    to: str | None = Field(
        default=None, description="Also publish a whole state to this object store, such as s3://bucket/prefix."
    )
    delta: bool = Field(default=False, description="With `to`: also the articles as a Delta table.")

    def run_name(self, flow: str) -> str:
        return f"{flow} {self.archive_name}"


class DigestParameters(TopicParameters):
    """The digest of a day, and who gets it by mail."""

    day: date | None = Field(default=None, description="The (Korean) day. Empty: yesterday.")
    mail: str | None = Field(
        default=None,
        description="The name of a block `Email Server Credentials`. Empty: no mail, the digest is an artifact only.",
    )
    sender: str | None = Field(default=None, description="The address of the sender. Empty: the user of the block.")
    to: tuple[str, ...] = Field(default=(), description="The addresses of the recipients.")

    @model_validator(mode="after")
    def _somebody_gets_the_mail(self) -> DigestParameters:
        if bool(self.mail) != bool(self.to):
            raise ValueError("give both `mail` and `to`, or neither")
        return self

    def run_name(self, flow: str) -> str:
        return f"{flow} of {self.day or 'yesterday'} of {self.archive_name}"


FORMS: dict[str, type[ArchiveParameters]] = {
    "crawl": CrawlParameters,
    "take_in": TakeInParameters,
    "refresh": RefreshParameters,
    "backfill": BackfillParameters,
    "reparse": ReparseParameters,
    "reassess": ReassessParameters,
    "publish": PublishParameters,
    "verify": ArchiveParameters,
    "report": ReportParameters,
    "digest": DigestParameters,
}
"""The parameters of each flow."""


def run_name(flow: str, given: Mapping[str, Any]) -> str:
    """The name of a run: what is done with which topic, archive and days. Also of a run that is going to be refused."""
    form = FORMS[flow]
    try:
        parameters = form.model_validate(dict(given))
    except ValidationError:
        parameters = form.model_construct(**given)
    return parameters.run_name(flow)


def checked(form: type[P], given: Mapping[str, Any]) -> P:
    """The parameters, checked. Raises BadInput."""
    try:
        return form.model_validate(dict(given))
    except ValidationError as error:
        faults = (
            "".join([*(f"`{name}`: " for name in one["loc"]), one["msg"].removeprefix("Value error, ")])
            for one in error.errors()
        )
        raise BadInput(f"the parameters cannot be used: {'; '.join(faults)}. Run it again with others.") from None


def naver_address() -> str | None:
    """The address of a server that stands in for Naver: SEOGO_NAVER of the worker. Raises BadInput."""
    return naver_from(os.environ)
