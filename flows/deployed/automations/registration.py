"""The automations: what the server does when a run is dead, late or failed, and when no run completes any more.

    python -m flows.deployed.automations --notify slack-webhook/alerts

creates them on the server of PREFECT_API_URL, changes those that differ, and deletes those of earlier versions. Those
that are as they should be stay untouched: to replace one would drop what it is waiting for. Without `--notify` (a
notification block as `type-slug/name`; default: SEOGO_NOTIFY), the block of the alerts on the server is used; if there
are none, only those automations are created that need no block.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

from prefect.automations import AutomationCore
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.schemas.automations import Automation
from prefect.exceptions import ObjectNotFound

from flows.deployed.automations.alerts import ALERT, alerts, silence_alerts, upload_alerts
from flows.deployed.automations.events import watch
from flows.deployed.automations.triggers import PREFIX, housekeeping, publications
from flows.deployed.flow_runs.housekeeping import TAG
from schemas.errors import BadInput, SeogoError

NOBODY = "no notification block is set (--notify, SEOGO_NOTIFY): nobody is notified of failures\n"
_COMPARED = ("description", "trigger", "actions")


class NoBlock(BadInput):
    """The server does not have the notification block."""


async def put(notify: str | None) -> list[str]:
    """Put the automations on the server; returns the names. Raises NoBlock."""
    async with get_client() as client:
        there = [one for one in await client.read_automations() if one.name.startswith(PREFIX)]
        deployments = await _deployments(client)
        block = await _block_id(client, notify) if notify else _block_in_use(there)
        wanted = housekeeping() + publications(deployments)
        if block:
            wanted += alerts(block) + silence_alerts(block) + upload_alerts(block)
        await _reconcile(client, there, wanted)
        await watch(deployments)
    return [automation.name for automation in wanted]


async def _deployments(client: PrefectClient) -> list[DeploymentResponse]:
    return await client.read_deployments(
        deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])), limit=200
    )


async def _reconcile(client: PrefectClient, there: Sequence[Automation], wanted: Sequence[AutomationCore]) -> None:
    """Create what is missing, change what differs, delete what is not wanted, and leave the rest alone.

    It deletes last: the alerts of an earlier version may be all that names the notification block.
    """
    current = {one.name: one for one in there}
    for automation in wanted:
        if automation.name not in current:
            await client.create_automation(automation)
        elif _facts(automation) != _facts(current[automation.name]):
            await client.update_automation(current[automation.name].id, automation)
    kept = {current[one.name].id for one in wanted if one.name in current}
    for old in there:
        if old.id not in kept:
            await client.delete_automation(old.id)


def _facts(automation: AutomationCore) -> Any:
    """What counts of an automation, comparable between ours and the server's."""
    return _plain(automation.model_dump(mode="json", include=set(_COMPARED)))


def _plain(value: Any) -> Any:
    """Without empty values and the ids that the server gives; sets in order."""
    if isinstance(value, dict):
        pairs = ((key, _plain(one)) for key, one in value.items() if key != "id")
        return {key: one for key, one in pairs if one not in (None, [], {}, "")}
    if isinstance(value, list):
        return sorted((_plain(one) for one in value), key=str)
    return value


def _block_in_use(there: Sequence[Automation]) -> str | None:
    """The notification block of the alerts on the server."""
    blocks = (getattr(action, "block_document_id", None) for one in there for action in one.actions)
    return next((str(block) for block in blocks if block), None)


async def _block_id(client: PrefectClient, notify: str) -> str:
    kind, _, name = notify.partition("/")
    try:
        return str((await client.read_block_document_by_name(name, kind)).id)
    except ObjectNotFound as error:
        raise NoBlock(
            f"the server has no block {notify!r}: create one (UI, Blocks), and give it as type-slug/name, "
            "such as slack-webhook/alerts."
        ) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.deployed.automations", description=__doc__)
    parser.add_argument("--notify", default=os.environ.get("SEOGO_NOTIFY"), metavar="TYPE-SLUG/NAME")
    notify = parser.parse_args(arguments).notify
    try:
        names = asyncio.run(put(notify))
    except SeogoError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("".join(f"{name}\n" for name in names))
    if not any_alert(names):
        sys.stdout.write(NOBODY)
    return 0


def any_alert(names: Sequence[str]) -> bool:
    """Whether anybody is notified by one of these automations."""
    return any(name.startswith(ALERT) for name in names)
