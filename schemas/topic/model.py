"""The topic file: what is searched, where, how it is recognised, and within which limits.

    Topic
    ├── sources      where finds come from: SearchApi, PressList, SectionList, SearchPage
    ├── relevance    what makes an article relevant: PhraseRule, ExcludeRule
    ├── teams        the participants: Team
    ├── limits       request rates, tries, timeouts, windows: Limits, HostLimits
    ├── archive      how files are written: ArchiveOptions
    └── webhooks     where changes are posted to: Webhook

`load_topic` reads a file and reports every mistake with file, line, key and what was expected, which is the
`description` of a field. docs/topics.md explains the keys to users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from schemas.errors import TopicError
from schemas.topic.fields import (
    PHRASES,
    Contact,
    Duration,
    HostName,
    Line,
    Models,
    NaverAddress,
    Oid,
    Penalty,
    Phrases,
    Reason,
    Sid,
    Slug,
    SourceName,
    VariableName,
    WebhookAddress,
    fold,
    number,
    span,
    whole,
)
from schemas.topic.yaml_source import Document, Loc, Mistake, dotted, given, read_document

MAX_MISTAKES = 100


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


# --- where finds come from -----------------------------------------------------------------------------------------


class _Source(_Frozen):
    type: str
    name: SourceName | None = Field(default=None, description="a name without colon, at most 60 characters")

    @property
    def label(self) -> str:
        """The name of the source, or else its type; unique within a topic."""
        return self.name or self.type


class SearchApi(_Source):
    """Naver's Search API, for every query of the topic."""

    type: Literal["search_api"] = "search_api"
    endpoint: Literal["openapi", "apihub"] = Field(default="apihub", description="apihub or openapi")


class PressList(_Source):
    """The lists of all articles of press offices, by day."""

    type: Literal["press_list"] = "press_list"
    oids: tuple[Oid, ...] = Field(
        min_length=1, max_length=500, description="a list of press offices, 3 digits each, such as ['001', '018']"
    )


class SectionList(_Source):
    """The lists of all articles in Naver's sections, by day."""

    type: Literal["section_list"] = "section_list"
    sids: tuple[Sid, ...] = Field(
        min_length=1, max_length=20, description="a list of sections, 100 to 110, such as [101, 105]"
    )


class SearchPage(_Source):
    """Naver's search page, for every query of the topic."""

    type: Literal["search_page"] = "search_page"


Source: TypeAlias = Annotated[SearchApi | PressList | SectionList | SearchPage, Field(discriminator="type")]


# --- what is relevant ----------------------------------------------------------------------------------------------


class PhraseRule(_Frozen):
    """Phrases with the same meaning: the weight counts once per place (title, body) that contains any of them.

    `in_passing` counts instead if they occur only in the body, after the lead.
    """

    phrases: Phrases = Field(min_length=1, description=PHRASES)
    weight: float = Field(gt=0, le=1000, description="a number above 0, at most 1000")
    in_passing: float | None = Field(default=None, ge=0, le=1000, description="a number from 0 to 1000")
    where: Literal["any", "title", "body"] = Field(default="any", description="any, title or body")
    name: Line | None = Field(default=None, description="a name on one line, at most 200 characters")


class ExcludeRule(_Frozen):
    """Phrases that count against an article: with a negative weight, or `veto` to exclude it."""

    phrases: Phrases = Field(min_length=1, description=PHRASES)
    weight: Penalty = Field(description="a number below 0 (at least -1000), or veto")
    where: Literal["any", "title", "body"] = Field(default="any", description="any, title or body")
    name: Line | None = Field(default=None, description="a name on one line, at most 200 characters")


class Relevance(_Frozen):
    """How an article is recognised. Teams count only if the article contains one of the words of `context`."""

    threshold: float = Field(ge=0, le=1000, description="a number from 0 to 1000, the lowest relevant score")
    phrases: tuple[PhraseRule, ...] = Field(default=(), max_length=200, description="a list of rules")
    exclude: tuple[ExcludeRule, ...] = Field(default=(), max_length=200, description="a list of rules")
    context: Phrases = Field(default=(), description=PHRASES)


class Team(_Frozen):
    """A participant. The weight counts once per place that contains an alias, and once more for a model.

    Each model is the spellings of its name; the archive stores the first.
    """

    name: Line = Field(description="a name on one line, at most 200 characters")
    aliases: Phrases = Field(default=(), description=PHRASES)
    models: Models = Field(default=(), description="a list of models, each one name or a list of its spellings")
    weight: float = Field(default=1.0, ge=0, le=1000, description="a number from 0 to 1000")


# --- limits --------------------------------------------------------------------------------------------------------


class HostLimits(_Frozen):
    """The limits of one host: requests per second (0: unlimited) and concurrent requests."""

    requests_per_second: float = number(..., 0, 100, "0 for no pause")
    concurrency: int = whole(..., 1, 64, "requests at once")


class Limits(_Frozen):
    """How many requests are sent to Naver, and how long everything may take. Seconds, bytes, durations."""

    requests_per_second: float = number(1.0, 0, 100, "0 for no pause")
    concurrency: int = whole(2, 1, 64, "requests at once")
    hosts: Mapping[HostName, HostLimits] = Field(
        default={}, description="host names, each with its own requests_per_second and concurrency"
    )
    tries: int = whole(4, 1, 20, "tries for one request")
    connect_timeout_seconds: float = number(10.0, 0.01, 600, "seconds")
    read_timeout_seconds: float = number(20.0, 0.01, 600, "seconds")
    total_timeout_seconds: float = number(60.0, 0.01, 3600, "seconds")
    max_answer_bytes: int = whole(20_000_000, 1_000, 1_000_000_000, "bytes")
    backoff_seconds: float = number(2.0, 0, 3600, "seconds")
    max_backoff_seconds: float = number(300.0, 0, 86_400, "seconds")
    patience_seconds: float = number(120.0, 0, 86_400, "seconds")
    lag: Duration = span(timedelta(hours=2), timedelta(0), timedelta(days=30), "at most 30 days")
    lookback: Duration = span(timedelta(days=3), timedelta(minutes=1), timedelta(days=3660), "1 minute to 10 years")
    max_fetches: int | None = whole(None, 1, 100_000_000, "fetches in one run")


class ArchiveOptions(_Frozen):
    """How Markdown files are written: like the existing archive, or for tools that assign types to YAML values."""

    front_matter: Literal["seed", "strict"] = Field(default="seed", description="seed or strict")


# --- where changes are posted to -----------------------------------------------------------------------------------

Kind = Literal["inserted", "edited", "re-extracted", "duplicate", "gone", "restored", "reassessed", "removed", "story"]
"""The kinds of changes, as in the change feed."""


class Webhook(_Frozen):
    """An address that each change of the archive is posted to. `secret` names a variable, and is not the secret."""

    name: SourceName = Field(description="a name without colon, at most 60 characters")
    url: WebhookAddress = Field(
        description="an https address without user and fragment; http only for localhost or a private network"
    )
    secret: VariableName = Field(
        description="the name of the environment variable that holds the secret, such as SEOGO_WEBHOOK_SECRET"
    )
    kinds: tuple[Kind, ...] = Field(
        default=(), max_length=len(get_args(Kind)), description=f"a list of kinds: {', '.join(get_args(Kind))}"
    )
    teams: tuple[Line, ...] = Field(default=(), max_length=50, description="a list of names of teams of this topic")


# --- the topic -----------------------------------------------------------------------------------------------------


class Topic(_Frozen):
    """A validated topic file."""

    name: Slug = Field(description="a short name of a-z, 0-9 and _")
    title: Line = Field(description="a title on one line, at most 200 characters")
    language: Literal["ko", "en"] = Field(default="ko", description="ko or en")
    contact: Contact = Field(description="an e-mail address or URL where Naver can reach you")
    robots: Literal["obey", "permitted"] = Field(default="obey", description="obey or permitted")
    permission: Reason | None = Field(
        default=None, max_length=1000, validate_default=True, description="the reason in words, at most 1000 characters"
    )
    naver: NaverAddress | None = Field(default=None, description="an address such as http://127.0.0.1:8000")
    sources: tuple[Source, ...] = Field(min_length=1, max_length=50, description="a list of at least one source")
    queries: Phrases = Field(default=(), validate_default=True, description=PHRASES)
    relevance: Relevance = Field(description="the rules: threshold, phrases, exclude, context")
    teams: tuple[Team, ...] = Field(default=(), max_length=50, description="a list of teams")
    limits: Limits = Field(default_factory=Limits, description="keys such as requests_per_second")
    archive: ArchiveOptions = Field(default_factory=ArchiveOptions, description="the key front_matter")
    webhooks: tuple[Webhook, ...] = Field(default=(), max_length=20, description="a list of at most 20 webhooks")

    @field_validator("permission")
    @classmethod
    def _permission_fits_robots(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("robots") == "permitted" and not reason:
            raise ValueError("expected the reason why robots.txt need not be obeyed, because robots is permitted")
        if info.data.get("robots") == "obey" and reason:
            raise ValueError("expected no reason, because robots is obey: set robots to permitted, or remove this key")
        return reason or None

    @field_validator("queries")
    @classmethod
    def _queries_fit_sources(cls, queries: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        search = [s.type for s in info.data.get("sources", ()) if isinstance(s, SearchApi | SearchPage)]
        if search and not queries:
            raise ValueError(f"expected at least one query, because the source {search[0]} needs one")
        return _distinct(queries, fold, "is the same query as")

    @field_validator("sources")
    @classmethod
    def _labels_differ(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        return _distinct(sources, lambda source: source.label, "needs a different name than")

    @field_validator("teams")
    @classmethod
    def _names_differ(cls, teams: tuple[Team, ...]) -> tuple[Team, ...]:
        return _distinct(teams, lambda team: fold(team.name), "has the same name as")

    @field_validator("webhooks")
    @classmethod
    def _webhooks_fit_teams(cls, webhooks: tuple[Webhook, ...], info: ValidationInfo) -> tuple[Webhook, ...]:
        known = {team.name for team in info.data.get("teams", ())}
        if unknown := [name for one in webhooks for name in one.teams if name not in known]:
            raise ValueError(f"expected names of teams of this topic (given {unknown[0]!r})")
        return _distinct(webhooks, lambda one: one.name, "has the same name as")


def _distinct(items: tuple[Any, ...], key: Callable[[Any], str], message: str) -> tuple[Any, ...]:
    """The items. Each one with the key of an earlier one is a separate error, at its own position."""
    first: dict[str, int] = {}
    duplicates = [(n, first[key(item)]) for n, item in enumerate(items) if first.setdefault(key(item), n) != n]
    if duplicates:
        raise ValidationError.from_exception_data(
            "topic",
            [
                {
                    "type": PydanticCustomError("duplicate", f"{message} number {there + 1}"),
                    "loc": (here,),
                    "input": key(items[here]),
                }
                for here, there in duplicates
            ],
        )
    return items


# --- reading -------------------------------------------------------------------------------------------------------


def load_topic(path: Path) -> Topic:
    """Read and validate a topic file. Raises TopicError, with one line per mistake."""
    document = read_document(path)
    try:
        topic = Topic.model_validate(document.values)
    except ValidationError as error:
        found = [_mistake(document, one) for one in error.errors(include_url=False) if not _follows(one)]
        raise _topic_error([*document.mistakes, *found]) from None
    if document.mistakes:
        raise _topic_error(document.mistakes)
    return topic


def default_topic_path() -> Path:
    """The topic that ships: inside the package `flows` if installed, at the root of a checkout."""
    root = Path(__file__).resolve().parents[2]
    installed = root / "flows" / "topics" / "foundation_model.yaml"
    return installed if installed.is_file() else root / "topics" / "foundation_model.yaml"


def _topic_error(mistakes: Iterable[Mistake]) -> TopicError:
    lines = [str(mistake) for mistake in sorted(set(mistakes))]
    more = [f"… and {len(lines) - MAX_MISTAKES:,} more mistakes"] if len(lines) > MAX_MISTAKES else []
    return TopicError("\n".join(lines[:MAX_MISTAKES] + more))


_MODELS: dict[Loc, type[_Frozen]] = {
    (): Topic,
    ("sources", "*", "search_api"): SearchApi,
    ("sources", "*", "press_list"): PressList,
    ("sources", "*", "section_list"): SectionList,
    ("sources", "*", "search_page"): SearchPage,
    ("relevance",): Relevance,
    ("relevance", "phrases", "*"): PhraseRule,
    ("relevance", "exclude", "*"): ExcludeRule,
    ("teams", "*"): Team,
    ("limits",): Limits,
    ("limits", "hosts", "*"): HostLimits,
    ("archive",): ArchiveOptions,
    ("webhooks", "*"): Webhook,
}
"""The models by pydantic's location, in which the type of a source is a separate step."""


def _follows(error: ErrorDetails) -> bool:
    """Whether this error only follows from others: pydantic does not count invalid items of a list."""
    return error["type"] == "too_short" and bool(error["input"])


def _mistake(document: Document, error: ErrorDetails) -> Mistake:
    # pydantic's location is ("limits", "hosts", "a b", "[key]") for a bad key, and includes the type of a source.
    loc = tuple(part for part in error["loc"] if part != "[key]")
    shown = loc[:2] + loc[3:] if loc[:1] == ("sources",) else loc
    if error["type"].startswith("union_tag"):
        shown = (*shown, "type")
    value = document.value(shown) if loc == error["loc"] else loc[-1]
    was = "a value that is not shown" if "secret" in loc else given(value)
    return Mistake(document.position(shown), f"{dotted(shown)}: {_expected(error, loc, was)}")


def _expected(error: ErrorDetails, loc: Loc, was: str) -> str:
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(loc)
        case "value_error":
            return str(error["ctx"]["error"])
        case "duplicate":
            return error["msg"]
        case "union_tag_not_found" | "union_tag_invalid":
            return f"expected one of {', '.join(_source_types())} (given {was})"
        case "model_type" | "model_attributes_type":
            return f"expected keys with values (given {was})"
        case "missing":
            return f"is missing: expected {_description(loc)}"
    return f"expected {_description(loc)} (given {was})"


def _model(loc: Loc) -> type[_Frozen] | None:
    names = ("*" if isinstance(part, int) or loc[n - 1 : n] == ("hosts",) else part for n, part in enumerate(loc))
    return _MODELS.get(tuple(names))


def _description(loc: Loc) -> str:
    """What the innermost field that contains `loc` expects."""
    for n in range(len(loc), 0, -1):
        model, key = _model(loc[: n - 1]), loc[n - 1]
        if model and key in model.model_fields:
            return model.model_fields[str(key)].description or "another value"
    return "keys with values"


def _unknown_key(loc: Loc) -> str:
    import difflib  # needed only for a mistake

    model = _model(loc[:-1])
    known = sorted([*(model.model_fields if model else ()), *(["extends"] if model is Topic else ())])
    near = difflib.get_close_matches(str(loc[-1])[:60], known, n=1)
    return f"unknown key: did you mean {near[0]!r}?" if near else f"unknown key: expected one of {', '.join(known)}"


def _source_types() -> list[str]:
    return [str(loc[-1]) for loc in _MODELS if loc[:1] == ("sources",)]
