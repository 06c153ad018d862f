"""The automations that need no notification block: they keep the queue free, and publish what was stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from prefect.automations import AutomationCore, EventTrigger, Posture, ResourceSpecification
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.actions import CancelFlowRun, ChangeFlowRunState, RunDeployment

from flows.deployed.automations.events import STORED

PREFIX = "seogo: "
DEAD_AFTER = timedelta(seconds=90)
"""Three heartbeats (PREFECT_FLOWS_HEARTBEAT_FREQUENCY is 30)."""

STUCK_AFTER = timedelta(minutes=5)
STALE_AFTER = {"crawl": timedelta(minutes=14), "refresh": timedelta(minutes=55), "publish": timedelta(minutes=55)}
"""A scheduled run that could not begin for that long is cancelled: the next one does its work."""

_THE_ARCHIVE = {"archive": {"__prefect_kind": "jinja", "template": "{{ event.payload.archive }}"}}
EACH_RUN = frozenset({"prefect.resource.id"})
ENDED = ("Cancelling", "Cancelled", "Crashed", "Failed")


def housekeeping() -> list[AutomationCore]:
    """Those that keep the queue free."""
    # Any state, since a state may have any name.
    alive = _unless(run_events("*"), after=run_events("heartbeat", "Running"), within=DEAD_AFTER)
    begun = _unless(run_events("Running", *ENDED), after=run_events("Pending", "Submitting"), within=STUCK_AFTER)
    dead = "no heartbeat for 90 seconds: its process is gone. The next run resumes from what it stored."
    return [
        _automation(
            "a run whose heartbeats stopped is crashed",
            "Its process is gone, or cannot reach the server. It would block its queue for good.",
            alive,
            _crash(dead),
        ),
        _automation(
            "a run that was handed out and never began is crashed",
            "The worker that took it is gone. It would block its queue for good.",
            begun,
            _crash("its worker never began it."),
        ),
        *(_stale(flow, within) for flow, within in STALE_AFTER.items()),
    ]


def publications(deployments: Iterable[DeploymentResponse]) -> list[AutomationCore]:
    """One for each deployment of `publish`: it runs when a run of the same queue has stored something."""
    return [_publication(one) for one in deployments if "publish" in one.tags]


def run_events(*states: str) -> set[str]:
    """The events of runs that enter these states. Keep them few: each costs the server a write per automation."""
    return {f"prefect.flow-run.{state}" for state in states}


def tagged(tag: str) -> ResourceSpecification:
    """A run, or a deployment, with this tag."""
    return ResourceSpecification({"prefect.resource.id": f"prefect.tag.{tag}"})


def _unless(expect: set[str], *tags: str, after: set[str], within: timedelta) -> EventTrigger:
    """A run with these tags had an event of `after`, and then none of `expect` within the time."""
    return EventTrigger(
        after=after,
        expect=expect,
        match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=[tagged(tag) for tag in ("seogo", *tags)],
        for_each=set(EACH_RUN),
        posture=Posture.Proactive,
        threshold=1,
        within=within,
    )


def _automation(name: str, description: str, trigger: EventTrigger, action: Any) -> AutomationCore:
    return AutomationCore(name=PREFIX + name, description=description, trigger=trigger, actions=[action])


def _crash(message: str) -> ChangeFlowRunState:
    return ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=message, force=False)


def _stale(flow: str, within: timedelta) -> AutomationCore:
    """Only for scheduled runs: a run that a person started waits until it can begin."""
    begun = run_events("Pending", "Running", *ENDED)
    waiting = _unless(begun, "auto-scheduled", flow, after=run_events("Late"), within=within)
    return _automation(
        f"a scheduled {flow} that could not begin is left to the next",
        "Runs do not pile up behind a long run or while no worker is there. Runs that a person started wait.",
        waiting,
        CancelFlowRun(),
    )


def _publication(deployment: DeploymentResponse) -> AutomationCore:
    queue: dict[str, str | list[str]] = {
        "prefect.resource.role": "work-queue",
        "prefect.resource.name": deployment.work_queue_name or "",
    }
    trigger = EventTrigger(
        expect={STORED},
        match=ResourceSpecification({"prefect.resource.id": "seogo.archive.*"}),
        match_related=ResourceSpecification(queue),
        posture=Posture.Reactive,
        threshold=1,
    )
    return _automation(
        f"{deployment.name} when articles were stored",
        f"The event {STORED} starts a publication, so that readers need not wait for the schedule.",
        trigger,
        RunDeployment(source="selected", deployment_id=deployment.id, parameters=_THE_ARCHIVE, job_variables=None),
    )
