"""What people see in the terminal of a repair, a reparse and a reassessment. Imports rich."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from flows.cli.show.terminal import cell, line, out
from flows.runs.reassess import Reassessed
from flows.runs.reparse import Difference, Reparsed
from schemas.receipt import ExitReason
from storage.integrity.repair import Repair

_MOST_LINES = 20
_MOST_SHOWN = 120
"""Characters of a value: enough to see what changed where the two begin to differ."""


def show_repair(done: Repair) -> None:
    """What was mended, what is left, and where to find what was replaced."""
    for said in done.mended[:_MOST_LINES]:
        out.print(Text(line(f"mended: {said}"), style="green"))
    if (more := len(done.mended) - _MOST_LINES) > 0:
        out.print(Text(f"… and {more:,} more: --json names all of them", style="green"))
    for fault in done.left[:_MOST_LINES]:
        out.print(Text(line(f"left: {fault}"), style="red"))
    if (more := len(done.left) - _MOST_LINES) > 0:
        out.print(Text(f"… and {more:,} more: --json names all of them", style="red"))
    if done.aside:
        out.print(Text(f"what was replaced is kept in state/set-aside ({len(done.aside):,} files)", style="dim"))
    if done.left:
        out.print(Text(f"{len(done.left)} faults cannot be mended: the captures do not tell enough", style="bold red"))
    else:
        out.print(Text("files, rows and captures all agree", style="bold green"))


def show_reparsed(done: Reparsed) -> None:
    """How many articles come out otherwise, by field, and the first of them before and after."""
    _show_differences(done)
    out.print(_last_line(done))


def show_reassessed(done: Reassessed) -> None:
    """The same, and which finds arrive or cannot be assessed."""
    _show_differences(done)
    for said, ids in (("on topic now", done.arrived), ("no known capture", done.uncaptured)):
        for article_id in ids[:_MOST_LINES]:
            out.print(Text(line(f"{article_id}: was off topic, {said}")))
    good = done.exit_reason in (ExitReason.DONE, ExitReason.NOTHING_NEW)
    accept = "Nothing was stored; without --dry-run it is." if done.receipt is None else ""
    said = f"{done.exit_reason.value}: {done.summary}. {accept}"
    out.print(Text(line(said.rstrip()), style="bold green" if good else "bold red"))


def reassessed_object(done: Reassessed) -> dict[str, Any]:
    """The same for machines."""
    told = {name: value for name, value in asdict(done).items() if name != "receipt"}
    return {
        "dry_run": done.receipt is None,
        **told,
        "exit_reason": done.exit_reason.value,
        "receipt": done.receipt.as_json() if done.receipt else None,
    }


def reparsed_object(done: Reparsed) -> dict[str, Any]:
    """The same for machines."""
    return {
        "dry_run": done.receipt is None,
        "read": done.read,
        "changed": done.changed,
        "fields": dict(done.fields),
        "examples": [asdict(example) for example in done.examples],
        "failed": done.failed,
        "exit_reason": done.exit_reason.value,
        "receipt": done.receipt.as_json() if done.receipt else None,
    }


def _show_differences(done: Reparsed | Reassessed) -> None:
    if done.fields:
        out.print(_fields(done))
    for article_id, differences in groupby(done.examples[:_MOST_LINES], key=lambda one: one.id):
        out.print(Text(article_id, style="bold"))
        for difference in differences:
            out.print(_difference(difference))
    for article_id, reason in list(done.failed.items())[:_MOST_LINES]:
        out.print(Text(line(f"{article_id}: {reason}"), style="red"))


def _fields(done: Reparsed | Reassessed) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("field")
    table.add_column("articles", justify="right")
    for name, number in done.fields.most_common():
        table.add_row(name, f"{number:,}")
    return table


def _difference(one: Difference) -> Text:
    before, after = _around_the_difference(line(cell(one.before)), line(cell(one.after)))
    return Text.assemble(f"  {one.field}: ", (before, "red"), " → ", (after, "green"))


def _around_the_difference(before: str, after: str) -> tuple[str, str]:
    """The two values cut to where they begin to differ."""
    same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    at = max(same - _MOST_SHOWN // 3, 0)
    return _cut(before, at), _cut(after, at)


def _cut(text: str, at: int) -> str:
    shown = text[at : at + _MOST_SHOWN]
    return f"{'…' if at else ''}{shown}{'…' if at + _MOST_SHOWN < len(text) else ''}" or "nothing"


def _last_line(done: Reparsed) -> Text:
    read = f"{done.read:,} articles derived again from their captures"
    if done.receipt is not None:
        good = not done.failed and done.exit_reason.value in ("done", "nothing_new")
        said = f"{done.exit_reason.value}: {done.receipt.explanation}. {read}."
        return Text(line(said), style="bold green" if good else "bold red")
    failed = f", {len(done.failed):,} give no article today" if done.failed else ""
    accept = ". Nothing was stored; without --dry-run it is accepted." if done.changed else "."
    return Text(f"{read}: {done.changed:,} come out otherwise{failed}{accept}", style="bold")
