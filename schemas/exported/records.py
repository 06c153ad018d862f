"""What leaves the archive: the record of an article in every export, and that of a change in the change feed.

They are a contract with whoever reads them. `exported/article.schema.json` and `exported/change.schema.json` are the
JSON Schemas of the records, made from the types, and `exported/versions.json` has a digest of the records of each
version that was ever given out. Whoever changes a type raises SCHEMA_VERSION and runs

    python -m schemas.exported

which refuses to give other records the number of old ones. The tests fail until both are done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.errors import BadInput

SCHEMA_VERSION = 2
"""Rises with any change of the record. Stands in each Parquet file (`seogo.schema_version`) and in the JSON Schema."""

FOLDER = Path(__file__).parent
VERSIONS_FILE = FOLDER / "versions.json"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ExportedAuthor(_Record):
    """Who wrote an article."""

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
    """One article, its newest text. What the archive does not know is null; lists are never null. Times bear a zone.

    `status`, `kind` and `revision_kind` are words to which later versions of seogo may add.
    """

    id: str
    """`{oid}_{aid}`, such as `119_0003042504`; begins otherwise for a text that came without an address."""
    url: str | None
    """Its page at Naver."""
    original_url: str | None
    """Its page at the publisher's."""
    title: str | None
    subtitle: str | None
    body: str | None
    """The text: paragraphs with an empty line between. Null where only a source's word of the article is held."""
    description: str | None
    """The snippet that a search showed."""
    publisher: str | None
    authors: list[ExportedAuthor]
    categories: list[str]
    published_at: AwareDatetime | None
    modified_at: AwareDatetime | None
    crawled_at: AwareDatetime | None
    """When this text was read."""
    gone_at: AwareDatetime | None
    """Since when it is known to be deleted at Naver; its text stays."""
    kind: str | None
    """text, photo, video, flash."""
    content_hash: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the body as the page had it."""
    text_hash: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the body's NFC form without white space: the same for two layouts of one text."""
    revision: int = Field(ge=1)
    """The number of this text under its id: 1 for the first."""
    revision_kind: str
    """Why this text was stored: new, imported, edited, re-extracted."""
    status: str
    """How much of the article is held: archived, listed, imported."""
    relevance: float | None
    """The score against the topic."""
    on_topic: bool | None
    """Whether it is on topic, by the topic file; null where that was not determined."""
    reasons: list[str]
    """Why it has this score."""
    teams: list[str]
    """The teams it speaks of, by the topic file; none where it is off topic."""
    models: list[ExportedModel]
    """Their models that it speaks of."""
    images: list[ExportedImage]
    file: str | None
    """Its Markdown file, relative to the archive."""
    duplicates: list[ExportedCopy]
    """The articles that bear the same text, in the order of their ids."""


COLUMNS = tuple(ExportedArticle.model_fields)
"""The record's fields, in the order that every export has them."""


class ExportedChange(_Record):
    """A change of what the archive shows. Changes come in the order of `seq`."""

    seq: int
    """The change's own cursor: grows, and stays the same for good."""
    changed_at: AwareDatetime
    """When the newest page of the batch was fetched that told of it."""
    kind: str
    """inserted, edited, re-extracted, duplicate, gone, restored, reassessed, removed."""
    id: str
    revision: int | None
    """The number of the text that came with it, where one did."""
    duplicate_of: str | None
    """For a duplicate: the id of the article whose text it bears."""
    duplicate: ExportedCopy | None
    """For a duplicate: the copy; null where a later change removed it."""
    article: ExportedArticle | None
    """The text that came with it; null where none did, and where a later change removed it."""


RECORDS: dict[str, type[BaseModel]] = {"article": ExportedArticle, "change": ExportedChange}
"""Every record that is exported, by its name."""


def schema_file(record: str) -> Path:
    """Where the JSON Schema of a record lies."""
    return FOLDER / f"{record}.schema.json"


def json_schema(record: str) -> dict[str, Any]:
    """The JSON Schema of a record."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "version": SCHEMA_VERSION,
        **RECORDS[record].model_json_schema(mode="serialization"),
    }


def digest(schemas: Mapping[str, dict[str, Any]]) -> str:
    """SHA-256 of what schemas demand: without their version and without what they say to people."""
    demands = {name: _demands(schema) for name, schema in schemas.items()}
    return hashlib.sha256(json.dumps(demands, sort_keys=True).encode()).hexdigest()


def versions_with(schemas: Mapping[str, dict[str, Any]], version: int, versions: dict[str, str]) -> dict[str, str]:
    """The versions given out so far, and this one. Raises BadInput where its number belongs to other records."""
    number, found = str(version), digest(schemas)
    if versions.get(number, found) != found:
        raise BadInput(
            f"version {number} of the exported records is another: raise SCHEMA_VERSION in schemas/exported/records.py."
        )
    return {**versions, number: found}


def write_schemas() -> None:
    """Write the schemas and note their version. Raises BadInput."""
    schemas = {record: json_schema(record) for record in RECORDS}
    before = json.loads(VERSIONS_FILE.read_bytes()) if VERSIONS_FILE.exists() else {}
    written: dict[Path, Any] = {VERSIONS_FILE: versions_with(schemas, SCHEMA_VERSION, before)}
    written |= {schema_file(record): schema for record, schema in schemas.items()}
    for path, value in written.items():
        path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _demands(schema: Any, *, names: bool = False) -> Any:
    """A schema without annotations. `names`: the keys are names of fields, one of which is `title`."""
    if isinstance(schema, list):
        return [_demands(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    said = () if names else ("version", "title", "description", "$schema")
    return {
        key: _demands(value, names=key in ("properties", "$defs")) for key, value in schema.items() if key not in said
    }
