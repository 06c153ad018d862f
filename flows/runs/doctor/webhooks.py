"""The webhooks of the topic file: their secrets, and whether their receivers accept what is sent. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from flows.delivery.signing import key_of
from flows.runs.doctor.check import Check, error, ok, warning
from schemas.counted import counted
from schemas.errors import ArchiveError, BadInput
from schemas.topic import Topic, Webhook
from storage.state import deliveries
from storage.state.deliveries import Delivery


def webhook_checks(topic: Topic, archive: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    """One check for each webhook; none if there are no webhooks."""
    if not topic.webhooks:
        return
    try:
        states = deliveries.load(archive)
    except ArchiveError as fault:
        yield error("webhooks", str(fault), "see the message")
        return
    for one in topic.webhooks:
        yield _check(one, states.get(one.name), environment)


def _check(webhook: Webhook, state: Delivery | None, environment: Mapping[str, str]) -> Check:
    name = f"webhook {webhook.name}"
    if state and (state.fault or state.dead):
        problems = [state.fault] if state.fault else []
        problems += [counted(len(state.dead), "dead letter")] if state.dead else []
        todo = f"once the receiver works: seogo webhooks --retry {webhook.name}"
        return warning(name, "; ".join(problems), todo)
    try:
        key_of(webhook, environment)
    except BadInput as mistake:
        return warning(name, str(mistake), "or store it in Prefect: docs/serving.md")
    return ok(name, "nothing sent yet" if state is None else f"changes received up to {state.cursor:,}")
