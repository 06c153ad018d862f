"""What each run does before its work: end runs whose process is gone, and name those that have not begun.

A run whose worker and process were killed stays *Running*, and blocks its queue. The server ends it once its heartbeats
have stopped (triggers.py). This is the other way, which needs no open trigger: each run records its process in a file
in PREFECT_HOME, and the next run or worker on the same machine sees that it is gone.
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import httpx
from prefect import get_run_logger, runtime
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_HOME
from prefect.states import Cancelled, Crashed

from flows.deployed.automations.events import Silence, silence_before
from flows.deployed.flow_runs.parameters import FORMS, run_name

TAG = "seogo"
_ACTIVE = (StateType.RUNNING, StateType.CANCELLING)
_GONE = "its process is gone. The next run resumes from what it stored."
_NAMED_AT_ONCE = 50


async def before_work() -> Silence | None:
    """End dead runs, name waiting ones. The run continues if the server cannot be asked.

    Returns the silence that this run ends if it completes.
    """
    try:
        async with get_client() as client:
            await end_dead_runs(client)
            await name_waiting_runs(client)
            return await silence_before(client)
    except (httpx.HTTPError, ObjectNotFound) as error:
        get_run_logger().warning("Prefect's server could not be asked about other runs (%s); the run continues", error)
        return None


def record_process() -> None:
    """Record the process of this run. Before the run is *Running*: it may be killed at any time after that."""
    file = _files() / str(runtime.flow_run.id)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: another run may be looking.
    file.with_suffix(".new").write_text(process_mark(os.getpid()), "utf-8")
    file.with_suffix(".new").replace(file)


async def end_dead_runs(client: PrefectClient) -> list[FlowRun]:
    """End all runs of this machine that are active by name, and whose process is gone. Returns them."""
    ended = []
    for file in [file for file in _files().glob("*-*") if not file.suffix]:
        if is_gone(file.read_text("utf-8")):
            ended += await _end(client, UUID(file.name))
            file.unlink(missing_ok=True)
    return ended


async def _end(client: PrefectClient, id_: UUID) -> list[FlowRun]:
    try:
        run = await client.read_flow_run(id_)
    except ObjectNotFound:
        return []
    if run.state_type not in _ACTIVE:
        return []
    await client.set_flow_run_state(id_, _end_of(run))
    return [run]


def _end_of(run: FlowRun) -> State[None]:
    if run.state_type is StateType.CANCELLING:
        return Cancelled(message=f"cancelled; {_GONE}")
    return Crashed(message=_GONE)


def _files() -> Path:
    """A file for each run of this machine that has not been seen to end; its name is the run's id."""
    return Path(PREFECT_HOME.value()) / "seogo-runs"


async def name_waiting_runs(client: PrefectClient) -> None:
    """Give runs of the schedule the name that they will have when they begin: some are cancelled before that."""
    waiting = FlowRunFilterStateName(any_=["Scheduled", "Late", "AwaitingConcurrencySlot", "Cancelled"])
    runs = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[TAG]), state=FlowRunFilterState(name=waiting)),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=_NAMED_AT_ONCE,
    )
    for run in runs:
        flow = next((tag for tag in run.tags if tag in FORMS), None)
        if flow and run.name != (name := run_name(flow, run.parameters)):
            await client.set_flow_run_name(run.id, name)


def process_mark(pid: int) -> str:
    """A process of this machine, told apart from all later ones: boot, number, start (clock ticks since boot)."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    # The second field is the program's name in brackets, and may contain blanks.
    started = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    return f"{boot} {pid} {started}"


def is_gone(mark: str) -> bool:
    """Whether the process with this mark is gone. True for what is no mark."""
    try:
        return process_mark(int(mark.split()[1])) != mark
    except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
        return True
