"""The report of a fetcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.cli.show.terminal import say
from flows.reports.text import counts
from schemas.counted import counted

if TYPE_CHECKING:
    from flows.runs.fetch import FetchReport


def show_report(report: FetchReport) -> None:
    """What was fetched, where it is now, and how the fetcher ended."""
    say(f"{report.done:,} of {report.addresses:,} addresses are fetched, {report.visited:,} of them now", "")
    say(f"{counted(report.pages, 'page')} with {counted(report.requests, 'request')}", "dim")
    if report.faults:
        say(f"without a page: {counts(report.faults)}", "yellow")
    for name in report.segments:
        say(f"in the store: {name}", "dim")
    if report.waiting:
        say(f"segments that wait on the disk for the next start: {report.waiting}", "red")
    say(f"{report.exit_reason}: {report.explanation}", "")
