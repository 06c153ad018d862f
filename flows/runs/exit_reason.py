"""Why a run ended: from its receipt to an exit reason and an explanation in a sentence. Pure.

A run that finds nothing new is a success only if a source named an article: any article, however old, shows that the
site is read correctly. A source with an empty window looks for one in the days before it (`flows.sources`). Finds that
waited for another try are no such proof.
"""

from __future__ import annotations

from collections.abc import Collection

from schemas.article import Outcome
from schemas.counted import counted
from schemas.receipt import ExitReason, Receipt, SourceEnd

_LAYOUT_SHARE = 0.2
"""The share of fetched pages from which on unknown pages mean that the site has changed, not that one page is odd."""

_REASONS = 3
_CLOSED = frozenset({SourceEnd.FORBIDDEN, SourceEnd.NO_KEY})
_CHANGES = (Outcome.NEW, Outcome.EDITED, Outcome.DUPLICATE, Outcome.OFF_TOPIC, Outcome.LISTED, Outcome.GONE)


def exit_reason_of(
    receipt: Receipt, *, interrupted: bool, broken: bool = False, idle: str = ""
) -> tuple[ExitReason, str]:
    """The worst reason that applies, and what it means.

    `broken`: an error ended the run. `idle`: the explanation if there was nothing to do and that is no failure.
    """
    if broken:
        return ExitReason.INTERRUPTED, "an error ended the run; the next run reads its sources again"
    if interrupted:
        return ExitReason.INTERRUPTED, "stopped by hand; the next run takes up what was not reached"
    if receipt.offline:
        return ExitReason.OFFLINE, f"no host can be reached ({receipt.offline}); the next run takes up everything"
    if idle and not (receipt.finds or receipt.sources):
        return ExitReason.NOTHING_NEW, idle
    if changed := _layout_changed(receipt):
        return ExitReason.LAYOUT_CHANGED, changed
    if silent := _reasons(receipt, {SourceEnd.SILENT}):
        return ExitReason.SOURCE_SILENT, _first_few(silent)
    if blocked := _blocked(receipt):
        return ExitReason.BLOCKED, blocked
    if nothing := _nothing_discovered(receipt):
        return ExitReason.NOTHING_DISCOVERED, nothing
    if failed := _partly_failed(receipt):
        return ExitReason.PARTLY_FAILED, failed
    if not any(receipt.outcomes[outcome] for outcome in _CHANGES):
        return ExitReason.NOTHING_NEW, _nothing_new(receipt)
    if listed := receipt.outcomes[Outcome.LISTED]:
        return (
            ExitReason.DONE,
            f"robots.txt forbids {listed} pages: their articles are kept as the sources show them",
        )
    return ExitReason.DONE, "every find ended in an outcome"


def _layout_changed(receipt: Receipt) -> str:
    drift = [alarm.rstrip(".") for alarm in receipt.drift]
    if changed := [*_reasons(receipt, {SourceEnd.LAYOUT_CHANGED}), *drift]:
        return _first_few(changed)
    pages = max(1, receipt.pages_read)  # fetched and parsed, well or badly; known articles are not among them
    if receipt.layout_faults and receipt.layout_faults >= _LAYOUT_SHARE * pages:
        return f"article pages that lack what their layout needs: {receipt.layout_faults} of {pages}"
    return ""


def _blocked(receipt: Receipt) -> str:
    if refused := receipt.outcomes[Outcome.BLOCKED]:
        return f"articles that were refused or may not be fetched: {refused}; they are tried again later"
    if receipt.resting:
        return _first_few(list(receipt.resting.values()))
    if refusals := _reasons(receipt, {SourceEnd.BLOCKED}):
        return _first_few(refusals)
    forbidden = _reasons(receipt, {SourceEnd.FORBIDDEN})
    if forbidden and not _named_an_article(receipt) and all(s.end in _CLOSED for s in receipt.sources):
        return "no source may be read: " + _first_few(_reasons(receipt, _CLOSED))
    return ""


def _nothing_discovered(receipt: Receipt) -> str:
    if _named_an_article(receipt) or (receipt.finds and not receipt.sources):
        return ""
    reasons = _first_few(_reasons(receipt, set(SourceEnd))) or "there is no source"
    return f"no source named an article ({reasons})"


def _named_an_article(receipt: Receipt) -> bool:
    """Whether a source named an article, new or known."""
    return any(source.items for source in receipt.sources)


def _partly_failed(receipt: Receipt) -> str:
    parts = _reasons(receipt, {SourceEnd.FAILED, SourceEnd.NO_KEY})
    if failed := receipt.outcomes[Outcome.FAILED]:
        parts.append(f"articles that could not be fetched or read: {failed}")
    return _first_few(parts)


def _nothing_new(receipt: Receipt) -> str:
    """Why the run concludes that there is nothing new."""
    if not receipt.sources:
        return "the archive has every article that was named"
    items, sources = sum(source.items for source in receipt.sources), len(receipt.sources)
    named = f"{counted(sources, 'source')} named {counted(items, 'item')}, all of them known"
    empty = _first_few(_reasons(receipt, {SourceEnd.EMPTY}))
    return f"{named}; {empty}" if empty else named


def _reasons(receipt: Receipt, ends: Collection[SourceEnd]) -> list[str]:
    """The reasons of the sources that ended in one of these ways, each reason once."""
    sources: dict[str, list[str]] = {}
    for source in receipt.sources:
        if source.end in ends:
            sources.setdefault(source.reason, []).append(source.source)
    return [f"{_first_name(names)}: {reason}" for reason, names in sources.items()]


def _first_few(reasons: list[str]) -> str:
    """The first reasons; the receipt's sources have them all."""
    more = f"; and {len(reasons) - _REASONS} more reasons" if len(reasons) > _REASONS else ""
    return "; ".join(reasons[:_REASONS]) + more


def _first_name(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
