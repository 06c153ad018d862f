"""The receipt of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.text import Text

from flows.cli.show.safe import line
from flows.cli.show.terminal import COLOURS, out, print_table, say, say_all, table
from flows.reports.text import counts, number, seconds, size
from schemas.counted import counted
from schemas.page import DISALLOWED
from schemas.receipt import ExitReason, Receipt, SourceEnd, SourceReport

_QUIET_ENDS = (SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY)


def show_receipt(receipt: Receipt) -> None:
    """Outcomes as a table, a line for each source, note and fault, and how the run ended."""
    if receipt.finds:
        _show_outcomes(receipt)
    _show_sources(receipt.sources)
    for note in _notes(receipt):
        say(note, "yellow")
    _show_import(receipt)
    if receipt.quarantined:
        say(f"{counted(receipt.quarantined, 'page')} in quarantine", "red")
    say_all([f"refused: {reason}" for reason in receipt.refused.values()], "red")
    say_all([f"{article_id}: {reason}" for article_id, reason in receipt.faults.items()], "red")
    out.print(_last_line(receipt))


def _show_outcomes(receipt: Receipt) -> None:
    found = table()
    found.add_column("outcome")
    found.add_column("finds", justify="right")
    for outcome, count in receipt.outcomes.items():
        if count:
            found.add_row(Text(outcome.value, style=COLOURS.get(outcome, "")), number(count))
    found.add_section()
    found.add_row("finds", f"{receipt.finds:,}", style="bold")
    print_table(found)


def _show_import(receipt: Receipt) -> None:
    if receipt.dialects:
        counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(receipt.dialects.items()))
        say(f"dialects of the files read: {counts}", "dim")
    if receipt.comments_dropped:
        say(f"{counted(receipt.comments_dropped, 'comment')} dropped: articles are stored without them", "yellow")


def _show_sources(sources: Sequence[SourceReport]) -> None:
    """A line for each reason why sources were not read to the end, and for each kind of source that was."""
    quiet: dict[str, list[SourceReport]] = {}
    loud: dict[tuple[str, str], list[SourceReport]] = {}
    for source in sources:
        if source.end in _QUIET_ENDS:
            quiet.setdefault(source.source.partition(":")[0], []).append(source)
        else:
            loud.setdefault((source.end.value, source.reason), []).append(source)
    for (end, reason), alike in loud.items():
        others = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
        pages = sum(source.pages for source in alike)
        say(f"{alike[0].source}{others}: {end} after {counted(pages, 'page')}: {reason}", "yellow")
    for kind, read in quiet.items():
        ends = counts(Counter(one.end.value for one in read))
        items, pages = sum(one.items for one in read), sum(one.pages for one in read)
        say(f"{kind}: {len(read)} read ({ends}), {counted(items, 'item')} on {counted(pages, 'page')}", "dim")


def _notes(receipt: Receipt) -> Iterator[str]:
    if permission := receipt.robots.get("permission"):
        yield f"robots.txt was not applied, by permission: {permission}"
    yield from (f"note: {note}" for note in receipt.notes)
    # What robots.txt forbids, and that there is no network, is said by the lines of the sources.
    gaps = () if receipt.offline else receipt.gaps
    yield from (f"gap: {gap}" for gap in gaps if DISALLOWED not in gap)


def _last_line(receipt: Receipt) -> Text:
    took = (receipt.finished_at - receipt.started_at).total_seconds() if receipt.finished_at else 0.0
    reason = receipt.exit_reason.value if receipt.exit_reason else "unfinished"
    good = receipt.exit_reason in (ExitReason.DONE, ExitReason.NOTHING_NEW)
    traffic = f" {counted(receipt.requests, 'request')}, {size(receipt.bytes)}," if receipt.requests else ""
    hosted = (
        f" {counted(receipt.not_hosted, 'item is', 'items are')} not hosted by Naver." if receipt.not_hosted else ""
    )
    return Text.assemble(
        (reason, "bold green" if good else "bold red"),
        line(f": {receipt.explanation}.{hosted}"),
        (f"{traffic} {seconds(took)}", "dim"),
    )
