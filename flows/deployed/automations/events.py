"""The events that seogo sends to Prefect's server. Automations, ours and those of others, are triggered by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import runtime
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events import Event, RelatedResource, Resource, emit_event
from prefect.events.clients import get_events_client

from flows.deployed.flow_runs.archive_mark import Mark, as_payload
from schemas.errors import ArchiveDamaged
from storage.reading.changes import summary
from storage.reading.reader import open_snapshot
from storage.state import uploads

STORED = "seogo.articles.new"
"""A run has stored something. The payload has counts, teams, cursor and run (see docs/operations.md)."""
NOT_UPLOADED = "seogo.captures.waiting"
"""Captures could not be uploaded to the archive's object store. The payload: address, waiting, bytes, since, fault."""
UPLOADED = "seogo.captures.uploaded"
"""All captures are in the archive's object store. The payload as above."""
RESUMED = "seogo.runs.resumed"
"""A deployment completed a run after a silence."""
WATCHED = "seogo.deployment.watched"
"""A deployment was applied: from now on its silence is noticed."""

SILENT_AFTER = {
    "crawl": timedelta(hours=1),
    "refresh": timedelta(hours=4),
    "publish": timedelta(hours=4),
    "report": timedelta(hours=26),
    "digest": timedelta(hours=26),
    "verify": timedelta(days=8),
}
"""The longest time between two completed runs of a schedule."""
BLOCKED_AFTER = timedelta(minutes=45)
"""The longest time between two crawls that begin: three are due."""
NOTICED_AFTER = {**SILENT_AFTER, "crawl": BLOCKED_AFTER}


def emit_stored(archive: Path, last: Mark | None, now: Mark | None) -> None:
    """Send what was stored between two marks; nothing if nothing was."""
    since = last.cursor if last and now and last.id == now.id else 0
    if now is None or now.cursor == since:
        return
    payload = {**as_payload(now), "since": since, **_stored(archive, since)}
    name = archive.name or str(archive)
    resource = {"prefect.resource.id": f"seogo.archive.{now.id}", "prefect.resource.name": name}
    emit_event(STORED, resource, payload=payload)


def emit_uploads(archive: Path, now: Mark | None) -> None:
    """Send whether captures wait for the archive's object store; nothing if it has none."""
    try:
        found = uploads.last(archive)
    except ArchiveDamaged:
        return  # the next run writes it again
    if found is None or now is None:
        return
    resource = {"prefect.resource.id": f"seogo.archive.{now.id}", "prefect.resource.name": archive.name or str(archive)}
    since = found.since.isoformat() if found.since else None
    payload = {**asdict(found), "archive": str(archive), "since": since}
    emit_event(NOT_UPLOADED if found.fault else UPLOADED, resource, payload=payload)


def _stored(archive: Path, since: int) -> dict[str, Any]:
    with open_snapshot(archive) as connection:
        return {**summary(connection, since), "flow_run": str(runtime.flow_run.id)}


# -- silences


@dataclass(frozen=True, slots=True)
class Silence:
    """No run of a deployment has completed since a time. Reported if that is longer than `noticed_after`."""

    deployment: DeploymentResponse
    since: datetime
    noticed_after: timedelta

    def end(self) -> None:
        """A run has completed: report that the silence is over, if it was noticed."""
        now = datetime.now(UTC)
        if now - self.since > self.noticed_after:
            payload = {"since": self.since.isoformat(timespec="seconds"), "until": now.isoformat(timespec="seconds")}
            emit_event(RESUMED, _resource(self.deployment), payload=payload, related=_related_to(self.deployment))


async def silence_before(client: PrefectClient) -> Silence | None:
    """The silence of this run's deployment up to now; None for one that nobody waits for."""
    noticed_after = NOTICED_AFTER.get(str(runtime.flow_run.flow_name))
    if noticed_after is None or not runtime.deployment.id:
        return None
    deployment = await client.read_deployment(runtime.deployment.id)
    completed = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.COMPLETED]))
    runs = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=completed),
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
        sort=FlowRunSort.END_TIME_DESC,
        limit=1,
    )
    # Before the first run: since the deployment was made.
    since = (runs and runs[0].end_time) or deployment.created or datetime.now(UTC)
    return Silence(deployment, since, noticed_after)


async def watch(deployments: Iterable[DeploymentResponse]) -> None:
    """Arm the alerts: from now on, the first failure of each deployment is reported, and its silence."""
    async with get_events_client() as client:
        for one in deployments:
            await client.emit(Event(event=WATCHED, resource=Resource(_resource(one)), related=_related_to(one)))
        # Runs without a deployment: somebody called a flow.
        nobody = Resource({"prefect.resource.id": "seogo.deployment.none"})
        await client.emit(
            Event(event=WATCHED, resource=nobody, related=[_related("prefect.tag.seogo", "tag", "seogo")])
        )


def _resource(deployment: DeploymentResponse) -> dict[str, str]:
    return {"prefect.resource.id": f"seogo.deployment.{deployment.id}", "prefect.resource.name": deployment.name}


def _related_to(deployment: DeploymentResponse) -> list[RelatedResource]:
    itself = _related(f"prefect.deployment.{deployment.id}", "deployment", deployment.name)
    return [itself, *(_related(f"prefect.tag.{tag}", "tag", tag) for tag in deployment.tags)]


def _related(id_: str, role: str, name: str) -> RelatedResource:
    return RelatedResource({"prefect.resource.id": id_, "prefect.resource.role": role, "prefect.resource.name": name})
