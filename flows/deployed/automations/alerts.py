"""The automations that notify a person: once when an outage begins, and once when it is over.

Each alert counts by deployment. It is armed by a run that completes (and by flows.deployed.apply), fires once, and is
armed again by the next run that completes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from prefect.automations import AutomationCore, EventTrigger, Posture, ResourceSpecification
from prefect.events.actions import SendNotification

from flows.deployed.automations.events import BLOCKED_AFTER, NOT_UPLOADED, RESUMED, SILENT_AFTER, UPLOADED, WATCHED
from flows.deployed.automations.triggers import PREFIX, run_events, tagged

POOL = "seogo"
ALERT = f"{PREFIX}alert: "
"""Every alert's name begins with it."""
_FOR_EVER = timedelta(days=3650)
_EACH_DEPLOYMENT = frozenset({"related:deployment:prefect.resource.id"})
_FAILED = ("Failed", "TimedOut", "MailNotSent", "PartlyFailed", "BadInput", "Busy", "Interrupted", "Offline")
_RUN_ALERTS = {
    "the layout of a page changed": ("LayoutChanged",),
    "a source went quiet": ("SourceSilent", "NothingDiscovered"),
    "Naver refuses": ("Blocked",),
    "the archive is damaged or its disk full": ("Damaged", "StorageFault"),
    "a run failed": _FAILED,
    "a run was killed": ("Crashed",),
}

_HELP = "What to do: docs/operations.md"
_RUN = (
    "{{ flow_run.name }}: {{ flow_run.state.name }}\n{{ flow_run.state.message }}\n"
    f"{{{{ flow_run|ui_url }}}}\n{_HELP}"
)
# Prefect's `ui_url` knows no deployment.
_DEPLOYMENT_URL = (
    "{{ automation|ui_url|replace('/automations/automation/', '/deployments/deployment/')"
    "|replace(automation.id|string, deployment.id|string) }}"
)
_DEPLOYMENT = f"{{{{ deployment.name }}}}\n{_DEPLOYMENT_URL}\n{_HELP}"
_SILENCE = (
    "{{ deployment.name }}: no run completed between {{ event.payload.since }} and {{ event.payload.until }}\n"
    f"{_DEPLOYMENT_URL}"
)
_WAITING = (
    "{{ event.payload.archive }}: {{ event.payload.waiting }} captures wait for {{ event.payload.address }}"
    "{% if event.payload.fault %}: {{ event.payload.fault }}{% endif %}\nWhat to do: docs/object-store.md"
)
_POOL = f"{{{{ work_pool|ui_url }}}}\n{_HELP}"


def alerts(block: str) -> list[AutomationCore]:
    """Those about runs that end badly, through the notification block with this id."""
    failed = [state for states in _RUN_ALERTS.values() for state in states]
    over = _trigger(run_events("Completed"), after=run_events(*failed))
    return [
        *(
            _alert(name, f"Once an outage: {', '.join(states)}.", _once(run_events(*states)), _RUN, block)
            for name, states in _RUN_ALERTS.items()
        ),
        _alert("runs complete again", "The first run that completes after one that ended badly.", over, _RUN, block),
    ]


def silence_alerts(block: str) -> list[AutomationCore]:
    """Those about runs that do not happen: no run reports that."""
    blocked = _without(run_events("Running"), "crawl", within=BLOCKED_AFTER)
    return [
        *(_silence(flow, within, block) for flow, within in SILENT_AFTER.items()),
        _alert(
            "no crawl began for 45 minutes",
            "The queue is held by another run (a long backfill, or one that hangs), or there is no worker.",
            blocked,
            _DEPLOYMENT,
            block,
        ),
        _alert("runs are on schedule again", "The first that completed after a silence.", _resumed(), _SILENCE, block),
        _alert("no worker", "The work pool is not ready: no worker polls it.", _pool("not-ready"), _POOL, block),
        _alert("a worker is back", "The work pool is ready again.", _pool("ready", after="not-ready"), _POOL, block),
    ]


def upload_alerts(block: str) -> list[AutomationCore]:
    """Those about captures that are not uploaded: no run ends badly because of that."""
    waiting, over = _uploads(NOT_UPLOADED, after=UPLOADED), _uploads(UPLOADED, after=NOT_UPLOADED)
    about = "The object store of the captures is away or refuses access; they stay in the directory."
    return [
        _alert("captures are not uploaded", about, waiting, _WAITING, block),
        _alert(
            "captures are uploaded again",
            "The first upload after those that failed.",
            over,
            _WAITING,
            block,
        ),
    ]


def _silence(flow: str, within: timedelta, block: str) -> AutomationCore:
    name = f"no {flow} completed for {_in_words(within)}"
    trigger = _without(run_events("Completed"), flow, within=within)
    reasons = "Runs fail, are cancelled, are late, or are not scheduled."
    return _alert(name, f"{reasons} A dead-man's switch.", trigger, _DEPLOYMENT, block)


def _in_words(time: timedelta) -> str:
    hours = time // timedelta(hours=1)
    if hours == 1:
        return "an hour"
    return f"{hours} hours" if hours < 48 else f"{time.days} days"


def _without(expect: set[str], flow: str, *, within: timedelta) -> EventTrigger:
    """A deployment of `flow` had such an event (or was applied), and then none within the time."""
    return _trigger(expect, flow, after={*expect, WATCHED}, within=within, posture=Posture.Proactive)


def _once(expect: set[str]) -> EventTrigger:
    """Such an event, once until a run of the same deployment completes."""
    return _trigger(expect, after={*run_events("Completed"), WATCHED})


def _trigger(
    expect: set[str],
    *tags: str,
    after: set[str],
    within: timedelta = _FOR_EVER,
    posture: Literal[Posture.Reactive, Posture.Proactive] = Posture.Reactive,
) -> EventTrigger:
    return EventTrigger(
        after=after,
        expect=expect,
        match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*", "seogo.deployment.*"]}),
        match_related=[tagged(tag) for tag in ("seogo", *tags)],
        for_each=set(_EACH_DEPLOYMENT),
        posture=posture,
        threshold=1,
        within=within,
    )


def _resumed() -> EventTrigger:
    match = ResourceSpecification({"prefect.resource.id": "seogo.deployment.*"})
    return EventTrigger(expect={RESUMED}, match=match, posture=Posture.Reactive, threshold=1)


def _uploads(expect: str, *, after: str) -> EventTrigger:
    return EventTrigger(
        after={after},
        expect={expect},
        match=ResourceSpecification({"prefect.resource.id": "seogo.archive.*"}),
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=_FOR_EVER,
    )


def _pool(status: str, *, after: str | None = None) -> EventTrigger:
    return EventTrigger(
        after={f"prefect.work-pool.{after}"} if after else set(),
        expect={f"prefect.work-pool.{status}"},
        match=ResourceSpecification({"prefect.resource.id": "prefect.work-pool.*", "prefect.resource.name": POOL}),
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=_FOR_EVER if after else timedelta(0),
    )


def _alert(name: str, description: str, trigger: EventTrigger, body: str, block: str) -> AutomationCore:
    notify = SendNotification.model_validate({"block_document_id": block, "subject": PREFIX + name, "body": body})
    return AutomationCore(name=ALERT + name, description=description, trigger=trigger, actions=[notify])
