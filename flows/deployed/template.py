"""The deployments of prefect.yaml, as they are or for a further topic and archive: an instance."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import BadInput

DEPLOYMENTS = Path("prefect.yaml")
WRITERS = "archive"
"""The queue of all deployments that write to the archive: one run at a time."""
READERS = "reading"
FETCHING = "fetch"
"""The tag of the deployments that fetch chunks."""
_INSTANCE = "instance:"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@dataclass(frozen=True, slots=True)
class Instance:
    """A topic and an archive with deployments and a writer queue of their own, all named after `name`."""

    name: str
    topic: str | None
    archive: str

    @property
    def tag(self) -> str:
        return f"{_INSTANCE}{self.name}"

    @property
    def queue(self) -> str:
        return f"{WRITERS}-{self.name}"

    def deployment_name(self, name: str) -> str:
        """The name of a deployment of the template, for this instance."""
        return f"{name}-{self.name}"


def instance_of(name: str | None, topic: Path | None, archive: Path | None) -> Instance | None:
    """An instance as the command line names it; None for the worker's own topic and archive. Raises BadInput."""
    if name is None and topic is None and archive is None:
        return None
    if name is None or archive is None:
        raise BadInput(
            "a further topic needs a name and an archive: give --name NAME --archive DIR (and --topic FILE)."
        )
    if not _NAME.fullmatch(name):
        raise BadInput(f"--name {name}: a name has small letters, digits and hyphens.")
    if topic is not None and not topic.is_file():
        raise BadInput(f"--topic {topic}: there is no such file.")
    return Instance(name, str(topic.resolve()) if topic else None, str(archive.resolve()))


def instance_in(tags: list[str], parameters: Mapping[str, Any]) -> Instance | None:
    """The instance of a deployment on the server, by its tags and parameters."""
    name = next((tag.removeprefix(_INSTANCE) for tag in tags if tag.startswith(_INSTANCE)), None)
    return Instance(name, parameters.get("topic"), parameters.get("archive") or "") if name else None


def deployments(file: Path, instance: Instance | None = None) -> dict[str, Any]:
    """The content of prefect.yaml, for an instance. Raises OSError, YAMLError, and LookupError for another content."""
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    content.pop("definitions", None)
    if instance is not None:
        content["deployments"] = [_of_instance(one, instance) for one in content["deployments"]]
    return content


def of_machines(content: Mapping[str, Any], machines: Sequence[str]) -> dict[str, Any]:
    """The content of deploy/fetchers.yaml with a deployment and a pool of its own for each fetching machine."""
    kept = [one for one in content["deployments"] if FETCHING not in one["tags"]]
    shared = [one for one in content["deployments"] if FETCHING in one["tags"]]
    own = [_of_machine(one, machine) for one in shared for machine in machines]
    return {**content, "deployments": [*kept, *own]}


def _of_machine(one: Mapping[str, Any], machine: str) -> dict[str, Any]:
    pool = {**one["work_pool"], "name": pool_of(one["work_pool"]["name"], machine)}
    return {**one, "name": f"{one['name']}-on-{machine}", "work_pool": pool}


def pool_of(shared: str, machine: str) -> str:
    """The name of a machine's own pool, derived from that of the pool that machines share."""
    return f"{shared}-{machine}"


def _of_instance(one: Mapping[str, Any], instance: Instance) -> dict[str, Any]:
    queue = one["work_pool"]["work_queue_name"]
    parameters = {**one["parameters"], "archive": instance.archive}
    if "topic" in parameters:
        parameters["topic"] = instance.topic
    return {
        **one,
        "name": instance.deployment_name(one["name"]),
        "tags": [*one["tags"], instance.tag],
        "parameters": parameters,
        "work_pool": {**one["work_pool"], "work_queue_name": instance.queue if queue == WRITERS else queue},
    }
