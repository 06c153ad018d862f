"""What people see in the terminal: progress, receipts, articles, tables. Imports rich, so only where it is shown."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TextIO

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.article import SEOUL, Outcome
from schemas.receipt import ExitReason, Receipt, SourceEnd, SourceReport

if TYPE_CHECKING:
    from schemas.topic import Topic
    from storage.verify import Verification

_PLAIN_LINE_EVERY = 5.0
_GOOD = {Outcome.NEW: "green", Outcome.EDITED: "cyan", Outcome.DUPLICATE: "blue", Outcome.LISTED: "blue"}
_BAD = {Outcome.BLOCKED: "red", Outcome.FAILED: "red", Outcome.DEFERRED: "yellow"}
_COLOURS = {**_GOOD, **_BAD}
_QUIET_ENDS = (SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY)

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False)


# -- progress


@contextmanager
def progress(what: str) -> Iterator[Callable[[Receipt], None]]:
    """Show how a run gets on: live in a terminal, a plain line now and then elsewhere. Goes to standard error."""
    began = time.monotonic()
    if not err.is_terminal:
        yield _plain_lines(what, began)
        return
    with Live(console=err, refresh_per_second=8, transient=True) as live:
        yield lambda receipt: live.update(_live_view(what, receipt, time.monotonic() - began))


def _plain_lines(what: str, began: float) -> Callable[[Receipt], None]:
    last = began

    def report(receipt: Receipt) -> None:
        nonlocal last
        if time.monotonic() - last >= _PLAIN_LINE_EVERY:
            last = time.monotonic()
            print(f"{what}: {_summary(receipt, last - began)}", file=sys.stderr, flush=True)  # noqa: T201

    return report


def _summary(receipt: Receipt, seconds: float) -> str:
    counts = ", ".join(f"{o.value} {n}" for o, n in receipt.outcomes.items() if n)
    return f"{receipt.finds} of {receipt.discovered} finds ({counts or 'none yet'}); {_pace(receipt, seconds)}"


def _pace(receipt: Receipt, seconds: float) -> str:
    rate = receipt.finds / seconds if seconds > 0 else 0.0
    left = (receipt.discovered - receipt.finds) / rate if rate else 0.0
    about = f", about {timedelta(seconds=round(left))} left" if left >= 1 else ""
    return f"{rate:.1f} a second{about}"


def _live_view(what: str, receipt: Receipt, seconds: float) -> Group:
    counts = Text("  ").join(
        Text(f"{outcome.value} {number}", style=_COLOURS.get(outcome, "dim"))
        for outcome, number in receipt.outcomes.items()
        if number
    )
    head = Text.assemble(
        (what, "bold"), f"  {receipt.finds} of {receipt.discovered} finds  ", (_pace(receipt, seconds), "dim")
    )
    traffic = f"{receipt.requests} requests, {_size(receipt.bytes)}, {timedelta(seconds=round(seconds))}"
    return Group(head, counts, Text(traffic, style="dim"))


# -- receipts


def show_receipt(receipt: Receipt) -> None:
    """The account of a run, as a table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("outcome")
    table.add_column("finds", justify="right")
    for outcome, number in receipt.outcomes.items():
        if number:
            table.add_row(Text(outcome.value, style=_COLOURS.get(outcome, "")), f"{number:,}")
    table.add_section()
    table.add_row("finds", f"{receipt.finds:,}", style="bold")
    if receipt.finds:
        out.print(table)
    for line in _source_lines(receipt.sources):
        out.print(line)
    for note in receipt.notes:
        out.print(Text(f"note: {note}", style="yellow"))
    for reason in list(receipt.refused.values())[:20]:
        out.print(Text(f"refused: {reason}", style="red"))
    out.print(_last_line(receipt))


def _source_lines(sources: Sequence[SourceReport]) -> Iterator[Text]:
    """A line for each kind of source that went well, and one for each source that did not."""
    quiet: dict[str, list[SourceReport]] = {}
    for source in sources:
        if source.end in _QUIET_ENDS:
            quiet.setdefault(source.source.partition(":")[0], []).append(source)
        else:
            yield Text(
                f"{source.source}: {source.end.value} after {source.pages} pages: {source.reason}", style="yellow"
            )
    for kind, read in quiet.items():
        ends = Counter(source.end.value for source in read)
        said = ", ".join(f"{end} {number}" for end, number in ends.items())
        items, pages = sum(s.items for s in read), sum(s.pages for s in read)
        yield Text(f"{kind}: {len(read)} read ({said}), {items} items on {pages} pages", style="dim")


def _last_line(receipt: Receipt) -> Text:
    seconds = (receipt.finished_at - receipt.started_at).total_seconds() if receipt.finished_at else 0.0
    reason = receipt.exit_reason.value if receipt.exit_reason else "unfinished"
    good = receipt.exit_reason in (ExitReason.DONE, ExitReason.NOTHING_NEW)
    traffic = f" {receipt.requests:,} requests, {_size(receipt.bytes)}," if receipt.requests else ""
    hosted = f" {receipt.not_hosted} items are not hosted by Naver." if receipt.not_hosted else ""
    return Text.assemble(
        (reason, "bold green" if good else "bold red"),
        f": {receipt.explanation}.{hosted}",
        (f"{traffic} {seconds:.1f} s", "dim"),
    )


# -- states and checks


def show_status(found: Mapping[str, Any]) -> None:
    """What `storage.reader.status` found."""
    about = Table.grid(padding=(0, 2))
    for name in ("archive", "published_at", "articles", "revisions", "duplicates", "newest_article", "waiting", "runs"):
        about.add_row(Text(name, style="dim"), Text(_cell(found[name]) or "none"))
    out.print(about)
    for source, watermark in found["sources"].items():
        out.print(Text(f"{source}: read up to {_cell(watermark)}", style="dim"))
    if last := found["last_run"]:
        out.print(
            Text(f"last run ({last['command']}, {last['started_at']}): {last['exit_reason']}. {last['explanation']}")
        )


def show_verification(found: Verification) -> None:
    """What was looked at, and every fault."""
    for fault in found.faults:
        out.print(Text(fault, style="red"))
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
        "window": f"lag {limits.lag}, first look back {limits.lookback}",
        "files": topic.archive.front_matter,
    }
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), Text(value))
    out.print(table)
    out.print(Text("no mistakes", style="bold green"))


# -- articles and tables


def show_article(fields: Mapping[str, Any]) -> None:
    """An article, readable."""
    about = Table.grid(padding=(0, 2))
    for name in ("publisher", "authors", "categories", "published_at", "modified_at", "kind", "original_url", "url"):
        if fields.get(name):
            about.add_row(Text(name, style="dim"), Text(_cell(fields[name])))
    for name in ("id", "content_hash", "parser", "status", "revision", "relevance", "reasons", "teams", "file"):
        if fields.get(name):
            about.add_row(Text(name, style="dim"), Text(_cell(fields[name]), style="dim"))
    title = escape(str(fields.get("title") or fields["id"]))
    out.print(Panel(about, title=f"[bold]{title}[/bold]", title_align="left", box=box.ROUNDED))
    out.print(Text(fields.get("body") or fields.get("description") or "(no text)"))


def print_json(value: Any) -> None:
    """A value for machines: one JSON document on standard output."""
    value = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=as_json) + "\n")


def print_rows(names: Sequence[str], rows: Iterator[Sequence[Any]], form: str) -> None:
    """Rows of a query as `table`, `csv` or `json`."""
    match form:
        case "json":
            print_json([dict(zip(names, row, strict=True)) for row in rows])
        case "csv":
            _print_csv(names, rows, sys.stdout)
        case _:
            _print_table(names, rows)


def as_json(value: Any) -> Any:
    """What `json` does not know: times as ISO 8601 with offset, in Korean time; anything else as its text."""
    if isinstance(value, datetime):
        return (value.astimezone(SEOUL) if value.tzinfo else value).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _print_csv(names: Sequence[str], rows: Iterator[Sequence[Any]], file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_flat(value) for value in row] for row in rows)


def _print_table(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(escape(name), overflow="fold")
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 — counted for the line below
        table.add_row(*(Text(_cell(value)) for value in row))
    out.print(table)
    out.print(Text(f"{count:,} row{'' if count == 1 else 's'}", style="dim"))


def _flat(value: Any) -> Any:
    """A value for one CSV field: lists and structures as JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=as_json)
    return as_json(value) if isinstance(value, datetime | date) else value


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}" if value.tzinfo else str(value)
        case dict() if set(value) == {"name", "email"}:
            return " ".join(filter(None, (value["name"], value["email"] and f"<{value['email']}>")))
        case dict():
            return ", ".join(f"{k} {_cell(v)}" for k, v in value.items())
        case list() | tuple():
            return ", ".join(_cell(item) for item in value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"
