"""The flow `take_in`: what fetchers have put into the store."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from prefect.client.schemas.objects import State

from flows.deployed.flow_runs.execution import with_receipt
from flows.deployed.flow_runs.parameters import TakeInParameters
from flows.deployed.flow_runs.run_flow import run_flow
from flows.runs.settings import shared_inbox
from flows.runs.take_in import TakeInOrder
from flows.runs.take_in import take_in as run_take_in


@run_flow(TakeInParameters, task="take in the segments")
async def take_in(parameters: TakeInParameters) -> State[dict[str, Any]]:
    """Take in what the fetchers have put into the store SEOGO_STORE, each segment exactly once."""
    order = TakeInOrder(
        topic=parameters.read_topic(),
        archive=parameters.archive_path,
        inbox=shared_inbox(os.environ),
        wait=parameters.wait_seconds,
    )
    return await with_receipt(partial(run_take_in, order))
