"""What a run's end means as a state: Completed only where it did its job, else Failed under a name that says why.

A state's name is the name of its event (`prefect.flow-run.LayoutChanged`): automations wait for it.
"""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.reports.run_summary import Json
from schemas.errors import ArchiveBusy, ArchiveDamaged, BadInput, SeogoError, StorageFault
from schemas.receipt import ExitReason

FAILED_SHARE, FAILED_AT_LEAST = 0.1, 3
"""Too much failed: at least three articles, and more than a tenth of the pages that the run wanted."""

NAMES = {
    ExitReason.LAYOUT_CHANGED: "LayoutChanged",
    ExitReason.SOURCE_SILENT: "SourceSilent",
    ExitReason.BLOCKED: "Blocked",
    ExitReason.NOTHING_DISCOVERED: "NothingDiscovered",
    ExitReason.PARTLY_FAILED: "PartlyFailed",
    ExitReason.INTERRUPTED: "Interrupted",
}
"""Endings that are failures, as names of states. Only of PARTLY_FAILED a part may be no failure."""

_ERRORS = {ArchiveBusy: "Busy", ArchiveDamaged: "Damaged", StorageFault: "StorageFault", BadInput: "BadInput"}
_LOST = frozenset({"failed", "no_key"})


def of_receipt(receipt: Json) -> State[dict[str, Any]]:
    """The state of a run with this receipt (`Receipt.as_json()`), which is its data."""
    reason, told = receipt["exit_reason"], f"{receipt['exit_reason']}: {receipt['explanation']}"
    if reason == ExitReason.PARTLY_FAILED:
        why = too_much_failed(receipt)
        if not why:
            return Completed(message=f"{told} (few enough: they are tried again)", data=dict(receipt))
        told = f"{told} ({why})"
    if name := NAMES.get(reason):
        return Failed(name=name, message=told, data=dict(receipt))
    return Completed(message=told, data=dict(receipt))


def too_much_failed(receipt: Json) -> str:
    """Why a run of which a part failed is a failure; empty where it is none."""
    if lost := [source["source"] for source in receipt["sources"] if source["end"] in _LOST]:
        return f"sources that could not be read: {len(lost)}"
    if receipt["command"] == "backfill" and receipt["gaps"]:
        return f"windows that were not read through: {len(receipt['gaps'])}"
    failed = receipt["outcomes"].get("failed", 0)
    wanted = max(receipt["pages_read"] + receipt["outcomes"].get("blocked", 0), failed)
    if failed >= FAILED_AT_LEAST and failed > FAILED_SHARE * wanted:
        return f"{failed} of {wanted} pages; up to {FAILED_SHARE:.0%} would have been tolerated"
    return ""


def of_error(error: SeogoError) -> State[Any]:
    """The state of a run that an error of ours ended: the error's sentence, and no traceback."""
    name = next((name for kind, name in _ERRORS.items() if isinstance(error, kind)), "Failed")
    return Failed(name=name, message=str(error))


def of_outcome(told: str, *, failed: str | None = None) -> State[Any]:
    """The state of a run that gives no receipt; `failed` is the name of the state where it is a failure."""
    return Failed(name=failed, message=told) if failed else Completed(message=told)
