"""The flow `report`: the report of the last days, as an artifact and as a page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import State

from flows.deployed.flow_runs import artifacts, states
from flows.deployed.flow_runs.execution import in_thread
from flows.deployed.flow_runs.parameters import ReportParameters
from flows.deployed.flow_runs.run_flow import run_flow
from flows.reports.markdown import report as report_as_markdown
from flows.serving.pages.static_page import write_page
from schemas.topic import Topic

PAGE = "exports/report.html"
"""The page of the newest report, in the archive."""


@run_flow(ReportParameters, task="write the report")
async def report(parameters: ReportParameters) -> State[Any]:
    """Report on the last days. Reads the readers' database: waits for no other process."""
    text, page = await in_thread(partial(_written, parameters.archive_path, parameters.days, parameters.read_topic()))
    what = f"the last {parameters.days} days of {parameters.archive_name}"
    await artifacts.markdown("report", text, what)
    await artifacts.link("report", page.as_uri(), f"{what}, as a page for a browser")
    return states.of_outcome(f"reported on {what}")


def _written(archive: Path, days: int, topic: Topic) -> tuple[str, Path]:
    """The report as Markdown, and the path of the page."""
    text = report_as_markdown(archive, days=days)
    page = (archive / PAGE).absolute()
    page.parent.mkdir(exist_ok=True)
    write_page(archive, page, title=topic.title, language=topic.language, days=days)
    return text, page
