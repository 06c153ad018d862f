"""The end of a run as a Prefect state: Completed if the run did its job, else Failed with a name that says why.

Prefect names the event of a state after it (`prefect.flow-run.LayoutChanged`): the automations are triggered by that.
"""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from flows.deployed.flow_runs.cancellation import RunCancelled
from flows.reports.run_summary import Json
from flows.runs.fetch import FetchReport
from schemas.errors import ArchiveBusy, ArchiveDamaged, BadInput, SeogoError, StorageFault
from schemas.receipt import ExitReason

FAILED_SHARE, FAILED_AT_LEAST = 0.1, 3
"""A run fails if at least three pages failed, and more than a tenth of those that it wanted."""

NAMES = {
    ExitReason.LAYOUT_CHANGED: "LayoutChanged",
    ExitReason.SOURCE_SILENT: "SourceSilent",
    ExitReason.BLOCKED: "Blocked",
    ExitReason.NOTHING_DISCOVERED: "NothingDiscovered",
    ExitReason.OFFLINE: "Offline",
    ExitReason.PARTLY_FAILED: "PartlyFailed",
    ExitReason.INTERRUPTED: "Interrupted",
}
"""The names of failed states. PARTLY_FAILED fails only if too much failed."""

_ALWAYS_COUNTED = {"new": "new", "edited": "edited", "duplicate": "copies"}
_COUNTED_IF_ANY = ("gone", "listed", "blocked", "failed")
_ERRORS = {ArchiveBusy: "Busy", ArchiveDamaged: "Damaged", StorageFault: "StorageFault", BadInput: "BadInput"}
_LOST = frozenset({"failed", "no_key"})


def of_receipt(receipt: Json) -> State[dict[str, Any]]:
    """The state of a run with this receipt (`Receipt.as_json()`), which becomes the state's data."""
    reason = receipt["exit_reason"]
    message = f"{reason}: {receipt['explanation']} ({tally(receipt)})"
    if reason == ExitReason.PARTLY_FAILED:
        why = too_much_failed(receipt)
        if not why:
            return Completed(message=f"{message} (few enough: they are tried again)", data=dict(receipt))
        message = f"{message} ({why})"
    if name := NAMES.get(reason):
        return Failed(name=name, message=message, data=dict(receipt))
    return Completed(message=message, data=dict(receipt))


def tally(receipt: Json) -> str:
    """What a run did, in numbers: 12 new, 3 edited, 2 copies; 40 requests."""
    outcomes = receipt["outcomes"]
    parts = [f"{outcomes.get(one, 0):,} {name}" for one, name in _ALWAYS_COUNTED.items()]
    parts += [f"{outcomes[one]:,} {one}" for one in _COUNTED_IF_ANY if outcomes.get(one)]
    return f"{', '.join(parts)}; {receipt['requests']:,} requests"


def too_much_failed(receipt: Json) -> str:
    """Why a run of which a part failed is a failure; empty if it is not."""
    if lost := [source["source"] for source in receipt["sources"] if source["end"] in _LOST]:
        return f"sources that could not be read: {len(lost)}"
    if receipt["command"] == "backfill" and receipt["gaps"]:
        return f"windows that were not read to their end: {len(receipt['gaps'])}"
    failed = receipt["outcomes"].get("failed", 0)
    wanted = max(receipt["pages_read"] + receipt["outcomes"].get("blocked", 0), failed)
    if failed >= FAILED_AT_LEAST and failed > FAILED_SHARE * wanted:
        return f"{failed} of {wanted} pages; up to {FAILED_SHARE:.0%} are tolerated"
    return ""


def of_report(report: FetchReport) -> State[Any]:
    """The state of a fetcher's run. What waits on its disk is put into the store by its next run."""
    message = f"{report.exit_reason}: {report.explanation} ({report.pages:,} pages; {report.requests:,} requests)"
    name = NAMES.get(report.exit_reason) if report.exit_reason else "Failed"
    return (
        Failed(name=name, message=message, data=report.as_json())
        if name
        else Completed(message=message, data=report.as_json())
    )


def of_error(error: SeogoError) -> State[Any]:
    """The state of a run that ended with an error of ours: its message, without a traceback."""
    if isinstance(error, RunCancelled):
        return Cancelled(message=str(error))
    name = next((name for kind, name in _ERRORS.items() if isinstance(error, kind)), "Failed")
    return Failed(name=name, message=str(error))


def of_outcome(message: str, *, failed: str | None = None) -> State[Any]:
    """The state of a run without a receipt. `failed`: the name of a failed state."""
    return Failed(name=failed, message=message) if failed else Completed(message=message)
