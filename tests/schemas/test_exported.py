"""The contract of the exports: no different record under an existing version."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.errors import BadInput
from schemas.exported import (
    RECORDS,
    SCHEMA_VERSION,
    VERSIONS_FILE,
    digest,
    json_schema,
    schema_file,
    versions_with,
)

SCHEMAS = {record: json_schema(record) for record in RECORDS}
CHANGED = "an exported record changed: raise SCHEMA_VERSION in exported/records.py, then run python -m schemas.exported"


def altered(change: str) -> dict[str, Any]:
    """The schema after a change of the type."""
    schema: dict[str, Any] = json.loads(json.dumps(json_schema("article")))
    match change:
        case "a field more":
            schema["properties"]["section"] = {"type": "string", "title": "Section"}
        case "a field less":
            del schema["properties"]["title"]
        case "a field that may be left out":
            schema["required"].remove("body")
        case "another type":
            schema["properties"]["revision"]["type"] = "string"
        case "another type inside":
            schema["$defs"]["ExportedAuthor"]["properties"]["email"] = {"type": "string"}
        case "no null":
            schema["properties"]["body"] = {"type": "string"}
        case "another pattern":
            schema["properties"]["text_hash"]["anyOf"][0]["pattern"] = "^[0-9a-f]+$"
    return schema


CHANGES = (
    *("a field more", "a field less", "a field that may be left out", "another type", "another type inside"),
    *("no null", "another pattern"),
)


@pytest.mark.parametrize("record", RECORDS)
def test_the_file_is_the_schema_of_the_type(record: str) -> None:
    assert json.loads(schema_file(record).read_bytes()) == json_schema(record), CHANGED


def test_the_version_belongs_to_these_records_only() -> None:
    versions = json.loads(VERSIONS_FILE.read_bytes())
    assert versions[str(SCHEMA_VERSION)] == digest(SCHEMAS), CHANGED
    assert sorted(map(int, versions)) == list(range(1, SCHEMA_VERSION + 1))
    assert len(set(versions.values())) == len(versions)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_record_needs_a_new_version(change: str) -> None:
    schemas, versions = {**SCHEMAS, "article": altered(change)}, versions_with(SCHEMAS, SCHEMA_VERSION, {})
    with pytest.raises(BadInput, match="raise SCHEMA_VERSION"):
        versions_with(schemas, SCHEMA_VERSION, versions)
    later = versions_with(schemas, SCHEMA_VERSION + 1, versions)
    assert later == {**versions, str(SCHEMA_VERSION + 1): digest(schemas)}


def test_another_description_is_not_a_change() -> None:
    schema = altered("")
    schema["properties"]["title"]["description"] = "the headline"
    assert digest({**SCHEMAS, "article": schema}) == digest(SCHEMAS)
