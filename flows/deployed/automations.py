"""The automations: what the server does when a run is dead, late or failed.

    python -m flows.deployed.automations --notify slack-webhook/alerts

creates them on the server of PREFECT_API_URL, and replaces those of the same names. Without `--notify` (a notification
block as `type-slug/name`; default: SEOGO_NOTIFY), only those that need no block are created.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import timedelta

from prefect.automations import AutomationCore, EventTrigger, Posture, ResourceSpecification
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import CancelFlowRun, ChangeFlowRunState, SendNotification
from prefect.exceptions import ObjectNotFound

from schemas.errors import BadInput, SeogoError

PREFIX = "seogo: "
DEAD_AFTER = timedelta(seconds=90)
"""Three heartbeats (PREFECT_FLOWS_HEARTBEAT_FREQUENCY is 30)."""

STUCK_AFTER = timedelta(minutes=5)
STALE_AFTER = {"crawl": timedelta(minutes=14), "refresh": timedelta(minutes=55), "publish": timedelta(minutes=55)}
"""A scheduled run that could not begin for that long is cancelled: the next one does its work."""

_EACH = {"prefect.resource.id"}
_BODY = (
    "{{ flow_run.name }}: {{ flow_run.state.name }}\n{{ flow_run.state.message }}\n"
    "{{ flow_run|ui_url }}\nWhat to do: docs/operations.md"
)


def housekeeping() -> list[AutomationCore]:
    """Those that keep the queue free. They need no notification block."""
    # Any state, since a state may have any name.
    alive = _unless(_events("*"), after=_events("heartbeat", "Running"), within=DEAD_AFTER)
    begun = _unless(_events("Running", *_ENDED), after=_events("Pending", "Submitting"), within=STUCK_AFTER)
    dead = "no heartbeat for 90 seconds: its process is gone. The next run resumes from what it stored."
    return [
        _automation("a run whose heartbeats stopped is crashed", alive, _crash(dead)),
        _automation(
            "a run that was handed out and never began is crashed", begun, _crash("its worker never began it.")
        ),
        *(_stale(flow, within) for flow, within in STALE_AFTER.items()),
    ]


def alerts(block: str) -> list[AutomationCore]:
    """Those that notify a person, through the notification block with this id."""
    return [
        _alert("the layout of a page changed", _events("LayoutChanged"), block),
        _alert("a source went quiet", _events("SourceSilent", "NothingDiscovered"), block),
        _alert("Naver refuses", _events("Blocked"), block),
        _alert("the archive is damaged or its disk full", _events("Damaged", "StorageFault"), block),
        _alert("a run failed", _events(*_FAILED), block),
        _alert("a run was killed", _events("Crashed"), block),
    ]


_ENDED = ("Cancelling", "Cancelled", "Crashed", "Failed")
_FAILED = ("Failed", "TimedOut", "PartlyFailed", "BadInput", "Busy", "Interrupted", "Offline")


def _events(*states: str) -> set[str]:
    """The events of runs that enter these states. Keep them few: each costs the server a write per automation."""
    return {f"prefect.flow-run.{state}" for state in states}


def _unless(expect: set[str], *tags: str, after: set[str], within: timedelta) -> EventTrigger:
    """A run with these tags had an event of `after`, and then none of `expect` within the time."""
    return EventTrigger(
        after=after,
        expect=expect,
        match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=[_tagged(tag) for tag in ("seogo", *tags)],
        for_each=_EACH,
        posture=Posture.Proactive,
        threshold=1,
        within=within,
    )


def _automation(name: str, trigger: EventTrigger, action: CancelFlowRun | ChangeFlowRunState) -> AutomationCore:
    return AutomationCore(name=PREFIX + name, trigger=trigger, actions=[action])


def _crash(message: str) -> ChangeFlowRunState:
    return ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=message, force=False)


def _stale(flow: str, within: timedelta) -> AutomationCore:
    """Only for scheduled runs: a run that a person started waits until it can begin."""
    begun = _events("Pending", "Running", *_ENDED)
    waiting = _unless(begun, "auto-scheduled", flow, after=_events("Late"), within=within)
    return _automation(f"a scheduled {flow} that could not begin is left to the next", waiting, CancelFlowRun())


def _alert(name: str, events: set[str], block: str) -> AutomationCore:
    trigger = EventTrigger(
        expect=events,
        match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=_tagged("seogo"),
        for_each=_EACH,
        posture=Posture.Reactive,
        threshold=1,
    )
    notify = SendNotification.model_validate({"block_document_id": block, "subject": PREFIX + name, "body": _BODY})
    return AutomationCore(name=f"{PREFIX}tell: {name}", trigger=trigger, actions=[notify])


def _tagged(tag: str) -> ResourceSpecification:
    return ResourceSpecification({"prefect.resource.id": f"prefect.tag.{tag}"})


async def put(notify: str | None) -> list[str]:
    """Create the automations, and replace those of the same names; returns the names. Raises BadInput."""
    async with get_client() as client:
        wanted = housekeeping() + (alerts(await _block_id(client, notify)) if notify else [])
        for automation in wanted:
            for old in await client.read_automations_by_name(automation.name):
                await client.delete_automation(old.id)
            await client.create_automation(automation)
    return [automation.name for automation in wanted]


async def _block_id(client: PrefectClient, notify: str) -> str:
    kind, _, name = notify.partition("/")
    try:
        return str((await client.read_block_document_by_name(name, kind)).id)
    except ObjectNotFound as error:
        raise BadInput(
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
    if not notify:
        sys.stdout.write("no notification block is set (--notify, SEOGO_NOTIFY): nobody is notified of failures\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
