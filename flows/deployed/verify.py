"""The flow `verify`: files, rows and captures of an archive against each other."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed import artifacts, states
from flows.deployed.execution import Watch, as_flow, in_thread
from flows.deployed.parameters import Place
from flows.reports.run_summary import listing
from schemas.errors import SeogoError
from storage.integrity.repair import verify_archive

DEFAULTS = Place()


@flow(name="verify", flow_run_name="verify {parameters.where}")
async def verify(parameters: Place = DEFAULTS) -> State[Any]:
    """Hold files, rows and captures against each other. Mends nothing: `seogo repair` does."""
    return await as_flow(hold_against_each_other, parameters)


@task(name="hold files, rows and captures against each other", cache_policy=NO_CACHE)
async def hold_against_each_other(parameters: Place) -> State[Any]:
    """One verification, as one task. It cannot be stopped half-way: a cancelled run ends when it is through."""
    try:
        found = await in_thread(Watch(), partial(verify_archive, parameters.path, wait=parameters.wait_seconds))
    except SeogoError as error:
        return states.of_error(error)
    faults = len(found.faults)
    said = f"{found.articles} articles, {found.files} files, {found.captures} captures: {faults or 'no'} faults"
    get_run_logger().info(said)
    await artifacts.markdown("verify", listing(f"verify {parameters.where}", said, found.faults), said)
    return states.of_outcome(said, failed="Damaged" if faults else None)
