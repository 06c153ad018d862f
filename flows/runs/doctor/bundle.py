"""What a bug report needs, as a zip file of four JSON files: no key, no text of an article, no name of a person.

    checks.json      the findings
    software.json    Python, the system, every installed package
    settings.json    the topic without contact and permission; which environment variables are set, not to what
    archive.json     sizes, numbers of rows, how the last runs ended

Only fields that are named here get in: a free text, such as the reason of a fault, may quote a page.
"""

from __future__ import annotations

import io
import json
import platform
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from flows.runs.doctor.check import Check, masked
from flows.runs.doctor.examination import DoctorOrder
from schemas.errors import SeogoError, StorageFault
from schemas.topic import load_topic
from storage import layout
from storage.reading.reader import open_snapshot, run_query

_PREFIXES = ("SEOGO_", "NAVER_", "PREFECT_")
_PRIVATE = {"contact", "permission", "naver"}
_COUNTS = {
    "articles": "SELECT status, count(*) FROM articles GROUP BY ALL ORDER BY ALL",
    "outcomes": "SELECT outcome, count(*) FROM finds GROUP BY ALL ORDER BY ALL",
    "parsers": "SELECT parser, count(*) FROM articles GROUP BY ALL ORDER BY ALL",
    "tables": "SELECT max(version), count(*) FROM schema_version",
    "runs": "SELECT command, started_at, finished_at, exit_reason FROM runs ORDER BY number DESC LIMIT 20",
}


def pack(file: Path, order: DoctorOrder, checks: Sequence[Check], secrets: Iterable[str]) -> None:
    """Write the zip file. `secrets` are taken out of whatever gets in. Raises StorageFault."""
    parts = {
        "checks.json": {"made_at": datetime.now(UTC), "checks": [asdict(check) for check in checks]},
        "software.json": _software(),
        "settings.json": _settings(order),
        "archive.json": _archive(order.archive),
    }
    home = order.environment.get("HOME", "").rstrip("/") or "~"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, part in parts.items():
            text = json.dumps(part, ensure_ascii=False, indent=1, default=str)
            bundle.writestr(name, masked(text, secrets).replace(home, "~"))
    try:
        file.write_bytes(packed.getvalue())
    except OSError as fault:
        raise StorageFault(f"{file} cannot be written: {fault.strerror}. Name another with --bundle FILE.") from fault


def _software() -> dict[str, Any]:
    packages = {one.metadata["Name"]: one.version for one in distributions()}
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": dict(sorted(packages.items(), key=lambda item: str(item[0]).lower())),
    }


def _settings(order: DoctorOrder) -> dict[str, Any]:
    environment = sorted(name for name in order.environment if name.startswith(_PREFIXES))
    try:
        topic = load_topic(order.topic).model_dump(mode="json", exclude=_PRIVATE)
    except SeogoError:  # the check `topic` says why
        topic = None
    return {"archive": str(order.archive), "topic": topic, "environment": environment}


def _archive(root: Path) -> dict[str, Any]:
    """Sizes and numbers. What cannot be read is left out: the checks say why."""
    return {"files": _sizes(root), **_counts(root)}


def _sizes(root: Path) -> dict[str, Any]:
    """The database for readers, and the files of the state."""
    try:
        files = [root / layout.SNAPSHOT, *(root / "state").iterdir()]
        return {file.name: file.stat().st_size for file in files if file.is_file()}
    except OSError:
        return {}


def _counts(root: Path) -> dict[str, Any]:
    try:
        with open_snapshot(root) as connection:
            return {name: [list(row) for row in run_query(connection, sql)[1]] for name, sql in _COUNTS.items()}
    except (OSError, SeogoError):
        return {}
