"""The records that leave the archive: an article in every export, and a change in the change feed.

They are a contract with other programs. `article.schema.json` and `change.schema.json` are the JSON Schemas of the
records, generated from the types; `versions.json` contains a digest of the records of each published version. To change
a type, raise SCHEMA_VERSION and run

    python -m schemas.exported

which refuses to write different records under an existing version. The tests fail until both are done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.errors import BadInput

SCHEMA_VERSION = 3
"""Raised with every change of a record. Included in each Parquet file (`seogo.schema_version`) and JSON Schema."""

FOLDER = Path(__file__).parent
VERSIONS_FILE = FOLDER / "versions.json"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ExportedAuthor(_Record):
    """An author of an article."""

    name: str
    email: str | None


class ExportedImage(_Record):
    """An image of an article."""

    url: str
    caption: str | None


class ExportedModel(_Record):
    """A model that an article mentions, and whose it is, as the topic file calls both."""

    team: str
    model: str


class ExportedCopy(_Record):
    """An article that bears the text of another."""

    id: str
    title: str | None
    publisher: str | None
    url: str | None


class ExportedArticle(_Record):
    """One article with its newest text. Unknown values are null; lists are never null. Times have a zone.

    Later versions of seogo may add values of `status`, `kind` and `revision_kind`.
    """

    id: str
    """`{oid}_{aid}`, such as `119_0003042504`; has another form for a text without a URL."""
    url: str | None
    """Its page at Naver."""
    original_url: str | None
    """Its page at the publisher."""
    title: str | None
    subtitle: str | None
    body: str | None
    """The text: paragraphs separated by a blank line. Null if only a source's information about it is stored."""
    description: str | None
    """The snippet shown by a search."""
    publisher: str | None
    authors: list[ExportedAuthor]
    categories: list[str]
    published_at: AwareDatetime | None
    modified_at: AwareDatetime | None
    crawled_at: AwareDatetime | None
    """When this text was fetched."""
    gone_at: AwareDatetime | None
    """Since when it is known to be deleted at Naver; its text stays."""
    kind: str | None
    """text, photo, video, flash."""
    content_hash: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the body as it was on the page."""
    text_hash: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the body in NFC without white space: the same for two layouts of one text."""
    revision: int = Field(ge=1)
    """The number of this text of the article: 1 for the first."""
    revision_kind: str
    """Why this text was stored: new, imported, edited, re-extracted."""
    status: str
    """How much of the article is stored: archived, listed, imported."""
    relevance: float | None
    """The relevance score for the topic."""
    on_topic: bool | None
    """Whether it is on topic, by the topic file; null if that was not determined."""
    reasons: list[str]
    """The reasons for this score."""
    teams: list[str]
    """The teams that it mentions, as named in the topic file; none if it is off topic."""
    models: list[ExportedModel]
    """The models of these teams that it mentions."""
    images: list[ExportedImage]
    file: str | None
    """Its Markdown file, relative to the archive."""
    duplicates: list[ExportedCopy]
    """The articles with the same text, in the order of their ids."""
    story: str | None
    """The story that it is in, named by the id of its earliest article; null if no other text is nearly the same."""


COLUMNS = tuple(ExportedArticle.model_fields)
"""The fields of the record, in the order of every export."""


class ExportedChange(_Record):
    """A change in the archive. Changes are in the order of `seq`."""

    seq: int
    """The cursor of the change: increasing, and permanent."""
    changed_at: AwareDatetime
    """When the newest page of the batch with this change was fetched."""
    kind: str
    """inserted, edited, re-extracted, duplicate, gone, restored, reassessed, removed, story."""
    id: str
    revision: int | None
    """The number of the new text, if there is one."""
    duplicate_of: str | None
    """For a duplicate: the id of the article with the same text."""
    story: str | None
    """For `story`: the story that the article has joined; null if it has left one."""
    duplicate: ExportedCopy | None
    """For a duplicate: the copy; null if a later change removed it."""
    article: ExportedArticle | None
    """The article with the new text; null if there is none, or if a later change removed it."""


RECORDS: dict[str, type[BaseModel]] = {"article": ExportedArticle, "change": ExportedChange}
"""All exported records by name."""


def schema_file(record: str) -> Path:
    """The path of a record's JSON Schema."""
    return FOLDER / f"{record}.schema.json"


def json_schema(record: str) -> dict[str, Any]:
    """The JSON Schema of a record."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "version": SCHEMA_VERSION,
        **RECORDS[record].model_json_schema(mode="serialization"),
    }


def digest(schemas: Mapping[str, dict[str, Any]]) -> str:
    """SHA-256 of the constraints of the schemas, without versions, titles and descriptions."""
    constraints = {name: _constraints(schema) for name, schema in schemas.items()}
    return hashlib.sha256(json.dumps(constraints, sort_keys=True).encode()).hexdigest()


def versions_with(schemas: Mapping[str, dict[str, Any]], version: int, versions: dict[str, str]) -> dict[str, str]:
    """The published versions including this one. Raises BadInput if its number belongs to other records."""
    number, found = str(version), digest(schemas)
    if versions.get(number, found) != found:
        raise BadInput(
            f"version {number} of the exported records exists with other fields:"
            " raise SCHEMA_VERSION in schemas/exported/records.py."
        )
    return {**versions, number: found}


def write_schemas() -> None:
    """Write the schemas and record their version. Raises BadInput."""
    schemas = {record: json_schema(record) for record in RECORDS}
    before = json.loads(VERSIONS_FILE.read_bytes()) if VERSIONS_FILE.exists() else {}
    written: dict[Path, Any] = {VERSIONS_FILE: versions_with(schemas, SCHEMA_VERSION, before)}
    written |= {schema_file(record): schema for record, schema in schemas.items()}
    for path, value in written.items():
        path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _constraints(schema: Any, *, names: bool = False) -> Any:
    """A schema without annotations. `names`: its keys are names of fields, one of which is `title`."""
    if isinstance(schema, list):
        return [_constraints(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    annotations = () if names else ("version", "title", "description", "$schema")
    return {
        key: _constraints(value, names=key in ("properties", "$defs"))
        for key, value in schema.items()
        if key not in annotations
    }
