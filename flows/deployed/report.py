"""The flow `report`: what the last days brought, as an artifact and as a page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed import artifacts, states
from flows.deployed.execution import Watch, as_flow, in_thread
from flows.deployed.parameters import ReportParameters
from flows.reports.markdown import report as report_plainly
from flows.reports.page import write_page
from schemas.errors import SeogoError

DEFAULTS = ReportParameters()

PAGE = "exports/report.html"
"""The page of the newest report, in the archive."""


@flow(name="report", flow_run_name="report of {parameters.days} days of {parameters.where}")
async def report(parameters: ReportParameters = DEFAULTS) -> State[Any]:
    """Tell what the last days brought."""
    return await as_flow(tell, parameters)


@task(name="tell of the last days", cache_policy=NO_CACHE)
async def tell(parameters: ReportParameters) -> State[Any]:
    """One report, as one task. It reads the reader's snapshot: no lease, no waiting."""
    try:
        text, page = await in_thread(Watch(), partial(_told, parameters.path, parameters.days))
    except SeogoError as error:
        return states.of_error(error)
    said = f"the last {parameters.days} days of {parameters.where}"
    await artifacts.markdown("report", text, said)
    await artifacts.link("report", page.as_uri(), f"{said}, as a page for a browser")
    return states.of_outcome(f"told of {said}")


def _told(archive: Path, days: int) -> tuple[str, Path]:
    """The report in Markdown, and where the page lies."""
    text = report_plainly(archive, days=days)
    page = (archive / PAGE).absolute()
    page.parent.mkdir(exist_ok=True)
    write_page(archive, page, days=days)
    return text, page
