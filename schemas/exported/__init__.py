"""The records of the exports: a versioned contract with other programs.

records.py      ExportedArticle, ExportedChange, their JSON Schemas, the schema version
__main__.py     `python -m schemas.exported` writes the JSON Schemas
*.schema.json   the JSON Schemas; *.v1.schema.json those of version 1, *.v2.schema.json those of version 2
versions.json   a digest of each version, so that no record changes without a new version
"""

from schemas.exported.records import (
    COLUMNS,
    RECORDS,
    SCHEMA_VERSION,
    VERSIONS_FILE,
    ExportedArticle,
    ExportedAuthor,
    ExportedChange,
    ExportedCopy,
    ExportedImage,
    ExportedModel,
    digest,
    json_schema,
    schema_file,
    versions_with,
)

__all__ = [
    "COLUMNS",
    "RECORDS",
    "SCHEMA_VERSION",
    "VERSIONS_FILE",
    "ExportedArticle",
    "ExportedAuthor",
    "ExportedChange",
    "ExportedCopy",
    "ExportedImage",
    "ExportedModel",
    "digest",
    "json_schema",
    "schema_file",
    "versions_with",
]
