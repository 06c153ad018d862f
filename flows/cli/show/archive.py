"""The state of an archive, and what verify, repair, reparse and reassess found or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.text import Text

from flows.cli.show.safe import line
from flows.cli.show.terminal import grid, out, print_table, say, say_all, table
from flows.cli.show.values import cell
from schemas.counted import counted
from schemas.coverage import Gap, grouped
from schemas.receipt import ExitReason

if TYPE_CHECKING:
    from flows.runs.move_captures import Moved
    from flows.runs.reassess import Reassessed
    from flows.runs.reparse import Difference, Reparsed
    from storage.integrity.repair import Repair
    from storage.integrity.verify import Verification

_ABOUT = (
    *("archive", "as_of", "articles", "on_topic", "revisions", "duplicates", "newest_article", "waiting", "runs"),
)
_MOST_DIFFERENCES = 20
_MOST_SHOWN = 120
"""Characters of a value in a difference."""


def show_status(found: Mapping[str, Any]) -> None:
    """The result of `storage.reading.reader.status`."""
    about = grid()
    for name in _ABOUT:
        about.add_row(Text(name, style="dim"), Text(cell(found[name]) or "none"))
    print_table(about)
    gaps = grouped(Gap(**gap) for gap in found["gaps"])
    say_all([f"gap: {gap.source}: {cell(gap.since)} to {cell(gap.until)}: {gap.reason}" for gap in gaps], "yellow")
    if any(not gap.is_forbidden for gap in gaps):
        say("to read what can be read: seogo backfill --gaps", "dim")
    if number := found["quarantined"]:
        say(f"{counted(number, 'page')} in quarantine; once the parser is fixed: seogo reparse --quarantined", "yellow")
    if found["captures"]:
        say_all(_captures(found["captures"]), "yellow" if found["captures"]["fault"] else "dim")
    say_all([f"the segments of {one} wait: {why}" for one, why in found["held_segments"].items()], "yellow")
    for source, watermark in found["sources"].items():
        say(f"{source}: read up to {cell(watermark)}", "dim")
    if busy := found.get("writer"):
        since = cell(busy["since"])
        say(f"process {busy['pid']} on {busy['host']} has been writing to the archive since {since}", "dim")
    if last := found["last_run"]:
        began = cell(datetime.fromisoformat(last["started_at"]))
        ended = ": ".join(filter(None, (last["exit_reason"], last["explanation"])))
        say(f"last run: {last['command']} of {began}: {ended}")
    for name, one in found.get("webhooks", {}).items():
        if one["fault"] or one["dead"]:
            dead = counted(one["dead"], "dead letter")
            say(f"webhook {name}: {one['fault'] or 'works again'}; {dead}: seogo webhooks", "yellow")
    if "schedule" in found:
        style = "" if found["schedule_level"] == "ok" else "bold red"
        say(f"schedule: {found['schedule']}", style)


def _captures(found: Mapping[str, Any]) -> list[str]:
    """Where the captures are, and what was not uploaded, as lines."""
    lines = [f"captures: {found['address']}"]
    if found["waiting"]:
        since = f" since {cell(found['since'])}" if found["since"] else ""
        lines.append(f"not uploaded{since}: {counted(found['waiting'], 'file')}, {found['bytes']:,} bytes")
    if found["fault"]:
        lines.append(f"the last upload failed: {found['fault']}")
    return lines


def show_verification(found: Verification) -> None:
    """What was checked, and the first faults: those of captures before those of rows and files."""
    say_all(found.faults, "red", most=40)
    checked = ", ".join(
        (counted(found.articles, "article"), counted(found.files, "file"), counted(found.captures, "capture"))
    )
    if found.faults:
        say(f"{checked}: {counted(len(found.faults), 'fault')}", "bold red")
    else:
        say(f"{checked}: all agree", "bold green")


def show_moved(done: Moved) -> None:
    """Where the captures are now."""
    home = "the archive's directory" if done.captures == "directory" else done.captures
    say(f"{done.moved:,} of {done.files:,} captures moved; all are in {home}", "bold green")


def show_repair(done: Repair) -> None:
    """What was repaired, what is left, and where the replaced files are."""
    say_all([f"repaired: {text}" for text in done.mended], "green")
    say_all([f"left: {fault}" for fault in done.left], "red")
    if done.aside:
        say(f"what was replaced is kept in state/set-aside ({counted(len(done.aside), 'file')})", "dim")
    if done.left:
        say(f"{counted(len(done.left), 'fault')} cannot be repaired: the captures lack what is needed", "bold red")
    else:
        say("files, rows and captures all agree", "bold green")


def show_reparsed(done: Reparsed) -> None:
    _show_differences(done)
    out.print(_last_line(done))


def show_reassessed(done: Reassessed) -> None:
    """The same, and which finds arrive or cannot be assessed."""
    _show_differences(done)
    say_all([f"{article_id}: was off topic, is on topic now" for article_id in done.arrived], "")
    say_all([f"{article_id}: was off topic, its capture is not known" for article_id in done.uncaptured], "")
    good = done.exit_reason in (ExitReason.DONE, ExitReason.NOTHING_NEW)
    dry = " Nothing was stored: run it without --dry-run." if done.receipt is None else ""
    say(f"{done.exit_reason.value}: {done.summary}.{dry}", "bold green" if good else "bold red")


def reassessed_object(done: Reassessed) -> dict[str, Any]:
    """The same for machines."""
    values = {name: value for name, value in asdict(done).items() if name != "receipt"}
    return {
        "dry_run": done.receipt is None,
        **values,
        "exit_reason": done.exit_reason.value,
        "receipt": done.receipt.as_json() if done.receipt else None,
    }


def reparsed_object(done: Reparsed) -> dict[str, Any]:
    """The same for programs."""
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
    """How many articles differ, by field, and the first of them before and after."""
    if done.fields:
        found = table()
        found.add_column("field")
        found.add_column("articles", justify="right")
        for name, number in done.fields.most_common():
            found.add_row(name, f"{number:,}")
        print_table(found)
    for article_id, differences in groupby(done.examples[:_MOST_DIFFERENCES], key=lambda one: one.id):
        say(article_id, "bold")
        for difference in differences:
            out.print(_difference(difference))
    say_all([f"{article_id}: {reason}" for article_id, reason in done.failed.items()], "red")


def _difference(one: Difference) -> Text:
    before, after = _around_the_difference(line(cell(one.before)), line(cell(one.after)))
    return Text.assemble(f"  {one.field}: ", (before, "red"), " → ", (after, "green"))


def _around_the_difference(before: str, after: str) -> tuple[str, str]:
    """The two values, cut to where they begin to differ."""
    same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    at = max(same - _MOST_SHOWN // 3, 0)
    return _cut(before, at), _cut(after, at)


def _cut(text: str, at: int) -> str:
    shown = text[at : at + _MOST_SHOWN]
    return f"{'…' if at else ''}{shown}{'…' if at + _MOST_SHOWN < len(text) else ''}" or "nothing"


def _last_line(done: Reparsed) -> Text:
    read = f"{counted(done.read, 'article')} parsed again"
    if done.receipt is not None:
        good = not done.failed and done.exit_reason.value in ("done", "nothing_new")
        text = f"{done.exit_reason.value}: {done.receipt.explanation}. {read}."
        return Text(line(text), style="bold green" if good else "bold red")
    failed = f", {len(done.failed):,} give no article now" if done.failed else ""
    stored = ". Nothing was stored: without --dry-run it would be." if done.changed else "."
    return Text(f"{read}: {done.changed:,} differ{failed}{stored}", style="bold")
