"""What people see in the terminal: receipts, states, articles. Imports rich, so only where it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from flows.cli.show.progress import COLOURS, size
from flows.cli.show.terminal import cell, line, out, shown, table_console
from schemas.receipt import ExitReason, Receipt, SourceEnd, SourceReport
from schemas.topic.fields import is_placeholder

if TYPE_CHECKING:
    from schemas.topic import Topic
    from storage.integrity.verify import Verification

_QUIET_ENDS = (SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY)
_MOST_REFUSALS = 20
_MOST_FAULTS = 40
_MOST_GAPS = 20

_ABOUT = (
    *("publisher", "authors", "categories", "published_at", "modified_at", "gone_at"),
    *("kind", "original_url", "url", "images"),
    *("id", "content_hash", "parser", "status", "revision", "relevance", "reasons", "teams", "models", "file"),
)


# -- receipts


def show_receipt(receipt: Receipt) -> None:
    """The account of a run, as a table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("outcome")
    table.add_column("finds", justify="right")
    for outcome, number in receipt.outcomes.items():
        if number:
            table.add_row(Text(outcome.value, style=COLOURS.get(outcome, "")), f"{number:,}")
    table.add_section()
    table.add_row("finds", f"{receipt.finds:,}", style="bold")
    if receipt.finds:
        out.print(table)
    for said in [
        *_source_lines(receipt.sources),
        *_notes(receipt),
        *_imported(receipt),
        *_refusals(receipt),
        *_faults(receipt),
    ]:
        out.print(said)
    out.print(_last_line(receipt))


def _line(text: object, style: str = "") -> Text:
    """A line whatever a page, a file's name or the database put into it."""
    return Text(line(text), style=style)


def _grid() -> Table:
    """Two columns without lines: a name, and what it holds, folded and never cut."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _faults(receipt: Receipt) -> Iterator[Text]:
    for article_id, reason in receipt.faults.items():
        yield _line(f"{article_id}: {reason}", style="red")


def _notes(receipt: Receipt) -> Iterator[Text]:
    if permission := receipt.robots.get("permission"):
        yield _line(f"robots.txt was not applied, by permission: {permission}", style="yellow")
    for note in receipt.notes:
        yield _line(f"note: {note}", style="yellow")
    for gap in receipt.gaps:
        yield _line(f"gap: {gap}", style="yellow")
    if receipt.quarantined:
        yield _line(f"{receipt.quarantined} pages are held back in quarantine", style="red")


def _imported(receipt: Receipt) -> Iterator[Text]:
    if receipt.dialects:
        counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(receipt.dialects.items()))
        yield _line(f"dialects of the files read: {counts}", style="dim")
    if receipt.comments_dropped:
        yield _line(
            f"{receipt.comments_dropped:,} comments were dropped: articles are stored without them", style="yellow"
        )


def _refusals(receipt: Receipt) -> Iterator[Text]:
    for reason in islice(receipt.refused.values(), _MOST_REFUSALS):
        yield _line(f"refused: {reason}", style="red")
    if (more := len(receipt.refused) - _MOST_REFUSALS) > 0:
        yield Text(f"… and {more:,} more: --json names all of them", style="red")


def _source_lines(sources: Sequence[SourceReport]) -> Iterator[Text]:
    """A line for each kind of source that went well, and one for each source, or reason, that did not."""
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
        yield _line(f"{alike[0].source}{others}: {end} after {pages} pages: {reason}", style="yellow")
    for kind, read in quiet.items():
        ends = Counter(source.end.value for source in read)
        said = ", ".join(f"{end} {number}" for end, number in ends.items())
        items, pages = sum(s.items for s in read), sum(s.pages for s in read)
        yield _line(f"{kind}: {len(read)} read ({said}), {items} items on {pages} pages", style="dim")


def _last_line(receipt: Receipt) -> Text:
    seconds = (receipt.finished_at - receipt.started_at).total_seconds() if receipt.finished_at else 0.0
    reason = receipt.exit_reason.value if receipt.exit_reason else "unfinished"
    good = receipt.exit_reason in (ExitReason.DONE, ExitReason.NOTHING_NEW)
    traffic = f" {receipt.requests:,} requests, {size(receipt.bytes)}," if receipt.requests else ""
    hosted = f" {receipt.not_hosted} items are not hosted by Naver." if receipt.not_hosted else ""
    return Text.assemble(
        (reason, "bold green" if good else "bold red"),
        line(f": {receipt.explanation}.{hosted}"),
        (f"{traffic} {seconds:.1f} s", "dim"),
    )


# -- states and checks


def show_status(found: Mapping[str, Any]) -> None:
    """What `storage.reading.reader.status` found."""
    about = _grid()
    for name in ("archive", "as_of", "articles", "revisions", "duplicates", "newest_article", "waiting", "runs"):
        about.add_row(Text(name, style="dim"), Text(cell(found[name]) or "none"))
    table_console().print(about)
    for gap in found["gaps"][:_MOST_GAPS]:
        span = f"{cell(gap['since'])} to {cell(gap['until'])}"
        out.print(_line(f"gap: {gap['source']}: {span}: {gap['reason']}", style="yellow"))
    if (more := len(found["gaps"]) - _MOST_GAPS) > 0:
        out.print(Text(f"… and {more:,} more gaps: --json names all of them", style="yellow"))
    if found["gaps"]:
        out.print(Text("to read them: seogo backfill --gaps", style="dim"))
    if found["quarantined"]:
        held = (
            f"{found['quarantined']:,} pages are in quarantine; once the parser is mended: seogo reparse --quarantined"
        )
        out.print(Text(held, style="yellow"))
    for source, watermark in found["sources"].items():
        out.print(_line(f"{source}: read up to {cell(watermark)}", style="dim"))
    if last := found["last_run"]:
        began = cell(datetime.fromisoformat(last["started_at"]))
        out.print(_line(f"last run: {last['command']} of {began}: {last['exit_reason']}: {last['explanation']}"))


def show_verification(found: Verification) -> None:
    """What was looked at, and the first faults: of what is stored first, then of rows and files."""
    for fault in found.faults[:_MOST_FAULTS]:
        out.print(_line(fault, style="red"))
    if (more := len(found.faults) - _MOST_FAULTS) > 0:
        out.print(Text(f"… and {more:,} more: --json names all of them", style="red"))
    looked = f"{found.articles:,} articles, {found.files:,} files, {found.captures:,} captures"
    if found.faults:
        out.print(Text(f"{looked}: {len(found.faults):,} faults", style="bold red"))
    else:
        out.print(Text(f"{looked}: all agree", style="bold green"))


def show_topic(topic: Topic) -> None:
    """A topic file in short."""
    limits = topic.limits
    rows = {
        "topic": f"{topic.name}: {topic.title}",
        "contact": topic.contact,
        "robots.txt": topic.robots + (f" ({topic.permission})" if topic.permission else ""),
        "sources": ", ".join(source.label for source in topic.sources),
        "queries": ", ".join(topic.queries),
        "teams": ", ".join(team.name for team in topic.teams),
        "rules": f"{len(topic.relevance.phrases)} for, {len(topic.relevance.exclude)} against; "
        f"on topic from {topic.relevance.threshold:g} on",
        "pace": f"{limits.requests_per_second:g} requests a second and host, {limits.concurrency} at once",
        "window": f"lag {_span(limits.lag)}, first look back {_span(limits.lookback)}",
        "files": topic.archive.front_matter,
    }
    table = _grid()
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), Text(shown(value)))
    table_console().print(table)
    for warning in topic_warnings(topic):
        out.print(_line(f"warning: {warning}", style="yellow"))
    out.print(Text("no mistakes", style="bold green"))


def topic_warnings(topic: Topic) -> list[str]:
    """What is no mistake, and yet to be changed before Naver is asked."""
    if is_placeholder(topic.contact):
        return [f"contact {topic.contact} is a placeholder: set an address where Naver's people reach you"]
    return []


def _span(span: timedelta) -> str:
    """A duration as a topic file has it: `2h`, `3d`, `90m`."""
    seconds = span.total_seconds()
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:g}{name}"
    return f"{seconds:g}s"


# -- articles


def show_article(fields: Mapping[str, Any]) -> None:
    """An article, readable."""
    out.print(_line(fields.get("title") or fields["id"], style="bold"))
    about = _grid()
    for name in _ABOUT:
        if fields.get(name):
            about.add_row(Text(name, style="dim"), Text(cell(fields[name])))
    table_console().print(about)
    out.print()
    out.print(Text(shown(fields.get("body") or fields.get("description") or "(no text)")))
