"""The flow `publish`: the readers' database, the exports, and the webhooks."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State

from flows.delivery.deliver import DeliveryOrder, deliver
from flows.deployed.flow_runs import artifacts, states
from flows.deployed.flow_runs.blocks import secrets
from flows.deployed.flow_runs.execution import in_thread
from flows.deployed.flow_runs.parameters import PublishParameters
from flows.deployed.flow_runs.run_flow import run_flow
from flows.reports.run_summary import listing
from flows.runs.publish import PublishOrder
from flows.runs.publish import publish as run_publish
from schemas.errors import ArchiveBusy


@run_flow(PublishParameters, task="write the exports")
async def publish(parameters: PublishParameters) -> State[Any]:
    """Update the readers' database and the exports; then send the changes to the topic's webhooks."""
    order = PublishOrder(
        archive=parameters.archive_path, wait=parameters.wait_seconds, to=parameters.to, delta=parameters.delta
    )
    done = await in_thread(partial(run_publish, order))
    get_run_logger().info("%s", done.explanation)
    notes = [*done.notes, *await _deliver(parameters)]
    text = listing(f"publish {parameters.archive_name}", done.explanation, notes)
    await artifacts.markdown("publish", text, done.explanation)
    return states.of_outcome(done.explanation)


async def _deliver(parameters: PublishParameters) -> list[str]:
    """A sentence for each webhook. A receiver that is away fails no run: the next one continues."""
    webhooks = parameters.read_topic().webhooks
    if not webhooks:
        return []
    known = {**await secrets({one.secret for one in webhooks}), **os.environ}
    try:
        done = await deliver(DeliveryOrder(parameters.archive_path, webhooks, known))
    except ArchiveBusy as busy:
        return [str(busy)]
    for one in done:
        get_run_logger().log(logging.INFO if one.is_well else logging.WARNING, "%s", one.explanation)
    return [one.explanation for one in done]
