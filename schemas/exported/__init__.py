"""The records of the exports: a versioned contract with other programs.

records               ExportedArticle, ExportedChange, their JSON Schemas, the schema version
*.schema.json         the JSON Schemas, written by `python -m schemas.exported`
*.v1.schema.json      those of version 1
versions.json         a digest of each version, so that no record changes under an old version
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
