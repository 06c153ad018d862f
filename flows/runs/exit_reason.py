"""Why a run ended as it did: from its receipt to an exit reason and a sentence. Pure.

A run that finds nothing new is a success only where a source named something: an article, however old, shows that the
site is read as it should be. A source with nothing in its window goes back to one for that (`flows.sources.readers`);
finds that waited for another try are no such proof.
"""

from __future__ import annotations

from collections.abc import Collection

from schemas.article import Outcome
from schemas.receipt import ExitReason, Receipt, SourceEnd

_LAYOUT_SHARE = 0.2
"""From this share of fetched pages on, unknown pages mean that the site changed, not that one page is odd."""

_REASONS = 3
_CLOSED = frozenset({SourceEnd.FORBIDDEN, SourceEnd.NO_KEY})
_TOUCHED = (Outcome.NEW, Outcome.EDITED, Outcome.DUPLICATE, Outcome.OFF_TOPIC, Outcome.LISTED, Outcome.GONE)


def ending(receipt: Receipt, *, interrupted: bool, broken: bool = False) -> tuple[ExitReason, str]:
    """The exit reason of a run, worst first, and what it means in words. `broken`: an error ended it."""
    if broken:
        return ExitReason.INTERRUPTED, "an error ended the run; its sources are read again by the next"
    if interrupted:
        return ExitReason.INTERRUPTED, "stopped by hand; what was not reached is taken up by the next run"
    if changed := _layout_changed(receipt):
        return ExitReason.LAYOUT_CHANGED, changed
    if silent := _ended(receipt, {SourceEnd.SILENT}):
        return ExitReason.SOURCE_SILENT, _few(silent)
    if blocked := _blocked(receipt):
        return ExitReason.BLOCKED, blocked
    if nothing := _nothing_discovered(receipt):
        return ExitReason.NOTHING_DISCOVERED, nothing
    if failed := _partly_failed(receipt):
        return ExitReason.PARTLY_FAILED, failed
    if not any(receipt.outcomes[outcome] for outcome in _TOUCHED):
        return ExitReason.NOTHING_NEW, _why_nothing_new(receipt)
    if listed := receipt.outcomes[Outcome.LISTED]:
        return ExitReason.DONE, f"{listed} articles are kept as what the sources said: robots.txt forbids their pages"
    return ExitReason.DONE, "every find ended in an outcome"


def _why_nothing_new(receipt: Receipt) -> str:
    """Why the run believes that there is nothing new: what each source said is in the receipt."""
    items = sum(source.items for source in receipt.sources)
    if not receipt.sources:
        return "the archive holds every article that was named"
    sources = len(receipt.sources)
    named = f"{sources} source{'' if sources == 1 else 's'} named {items} items"
    silent = _few(_ended(receipt, {SourceEnd.EMPTY}))
    return f"{named}, and the archive has met every one of them" + (f"; {silent}" if silent else "")


def _layout_changed(receipt: Receipt) -> str:
    if changed := [*_ended(receipt, {SourceEnd.LAYOUT_CHANGED}), *(alarm.rstrip(".") for alarm in receipt.drift)]:
        return _few(changed)
    if receipt.layout_faults and receipt.layout_faults >= _LAYOUT_SHARE * _pages(receipt):
        return f"article pages that lack what their layout needs: {receipt.layout_faults} of {_pages(receipt)}"
    return ""


def _blocked(receipt: Receipt) -> str:
    if refused := receipt.outcomes[Outcome.BLOCKED]:
        return f"articles that were refused or may not be fetched: {refused}; they are tried again later"
    if receipt.resting:
        return _few(list(receipt.resting.values()))
    if refusals := _ended(receipt, {SourceEnd.BLOCKED}):
        return _few(refusals)
    forbidden = _ended(receipt, {SourceEnd.FORBIDDEN})
    if forbidden and not _named(receipt) and all(s.end in _CLOSED for s in receipt.sources):
        return "no source may be read: " + _few(_ended(receipt, _CLOSED))
    return ""


def _nothing_discovered(receipt: Receipt) -> str:
    if _named(receipt) or (receipt.finds and not receipt.sources):
        return ""
    said = _few(_ended(receipt, set(SourceEnd))) or "there is no source"
    return f"no source named an article ({said})"


def _named(receipt: Receipt) -> bool:
    """Whether a source named an article, new or known."""
    return any(source.items for source in receipt.sources)


def _partly_failed(receipt: Receipt) -> str:
    parts = _ended(receipt, {SourceEnd.FAILED, SourceEnd.NO_KEY})
    if failed := receipt.outcomes[Outcome.FAILED]:
        parts.append(f"articles that could not be fetched or read: {failed}")
    return _few(parts)


def _ended(receipt: Receipt, ends: Collection[SourceEnd]) -> list[str]:
    """What the sources that ended so said, each reason once."""
    sources: dict[str, list[str]] = {}
    for source in receipt.sources:
        if source.end in ends:
            sources.setdefault(source.reason, []).append(source.source)
    return [f"{_some(names)}: {reason}" for reason, names in sources.items()]


def _few(parts: list[str]) -> str:
    """The first reasons in full; the receipt's sources hold them all."""
    more = f"; and {len(parts) - _REASONS} more reasons" if len(parts) > _REASONS else ""
    return "; ".join(parts[:_REASONS]) + more


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _pages(receipt: Receipt) -> int:
    """Article pages that were fetched and read, well or badly (finds that were merely known are not among them)."""
    return max(1, receipt.pages_read)
