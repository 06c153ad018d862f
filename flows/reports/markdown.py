"""The report of an archive as Markdown: what came in, what failed, what is pending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from flows.reports.facts import Facts, Row, facts, outcomes_by_day
from flows.reports.text import LISTED, document, link, moment, number, seconds, share, size, table
from schemas.article import Outcome
from schemas.counted import counted
from schemas.safe_text import escape_markdown

_MOST_ROWS = 100
_NONE = "None."


def report(archive: Path, *, days: int = 7, now: datetime | None = None) -> str:
    """Markdown about the last `days` Korean days of an archive, including today.

    Reads the readers' database, so a run may write at the same time. Raises BadInput, ArchiveDamaged.
    """
    return markdown(facts(archive, days=days, now=now))


def markdown(found: Facts) -> str:
    """Facts as Markdown."""
    return document(
        _head(found),
        {
            "Articles by outcome and day of the crawl": _daily(found),
            "Runs": _runs(found),
            "Newest stories": _newest(found),
            "Edits": _edits(found),
            "Deletions": _gone(found),
            "Share of voice": _voices(found),
            "Coverage gaps": _gaps(found),
            "Quarantine": _held(found),
            "Pending": _waiting(found),
            "Disk usage": _disk(found),
        },
    )


def _head(found: Facts) -> str:
    lines = [
        f"# {found.days} days of {escape_markdown(found.archive)}",
        f"{found.since:%Y-%m-%d} to {moment(found.now)} (Korean time), from a copy of {moment(found.as_of)}:"
        f" {found.articles:,} articles in all.",
    ]
    if found.last_runs:
        last = found.last_runs[0]
        why = f": {escape_markdown(last['explanation'])}" if last["explanation"] else ""
        lines.append(f"Last run: {last['command']} of {moment(last['started_at'])}, **{last['ended']}**{why}.")
    return "\n\n".join(lines)


def _daily(found: Facts) -> str:
    by_day = outcomes_by_day(found.daily)
    present = {outcome for day in by_day.values() for outcome in day}
    order: list[str] = [outcome.value for outcome in Outcome if outcome.value in present]
    order += sorted(present - set(order))
    rows = [[day, *(number(counts.get(outcome, 0)) for outcome in order)] for day, counts in by_day.items()]
    return _table(["day", *order], rows, right=len(order))


def _runs(found: Facts) -> str:
    rows = [
        [row["command"], row["ended"], number(row["runs"]), number(row["requests"]), size(row["bytes"]),
         seconds(row["longest"])]
        for row in found.runs
    ]  # fmt: skip
    return _table(["command", "ended", "runs", "requests", "received", "longest"], rows, right=4)


def _newest(found: Facts) -> str:
    rows = [
        [moment(row["published_at"]), _article(row), escape_markdown(row["publisher"] or ""), _newest_file(row),
         number(row["copies"])]
        for row in found.newest
    ]  # fmt: skip
    return _table(["first published", "article", "publisher", "file", "copies"], rows, right=1)


def _edits(found: Facts) -> str:
    rows = [[moment(row["crawled_at"]), _article(row), _before(row), _file(row)] for row in found.edits]
    return _table(["seen", "article", "what changed", "file"], rows)


def _before(row: Row) -> str:
    if row["before"] is None or row["before"] == row["title"]:
        return "the text"
    return f"the title, before: {escape_markdown(row['before'])}"


def _gone(found: Facts) -> str:
    rows = [
        [moment(row["seen_at"]), _article(row), escape_markdown(row["reason"]), _file(row) or "was never archived"]
        for row in found.gone
    ]
    return _table(["seen", "article", "notice", "file"], rows)


def _voices(found: Facts) -> str:
    lately, ever = (sum(row[name] for row in found.voices) for name in ("lately", "ever"))
    rows = [
        [escape_markdown(row["team"]), number(row["lately"]), share(row["lately"], lately), number(row["ever"]),
         share(row["ever"], ever)]
        for row in found.voices
    ]  # fmt: skip
    return _table(["team", f"{found.days} days", "share", "ever", "share of all"], rows, right=4)


def _gaps(found: Facts) -> str:
    return _known(
        found.gaps,
        ["source", "from", "to", "reason"],
        lambda row: [
            *(escape_markdown(row["source"]), moment(row["since"]), moment(row["until"])),
            escape_markdown(row["reason"] or ""),
        ],
        none="None: every source was read without a gap.",
    )


def _held(found: Facts) -> str:
    return _known(
        found.held,
        ["since", "article", "reason"],
        lambda row: [moment(row["held_at"]), link(row["id"], row["url"]), escape_markdown(row["reason"])],
        none="Empty.",
    )


def _known(rows: Sequence[Row] | None, names: Sequence[str], cells: Callable[[Row], list[str]], *, none: str) -> str:
    if rows is None:
        return "Not known: this database was written by an older version. The next run updates it."
    return _table(names, [cells(row) for row in rows], none=none)


def _waiting(found: Facts) -> str:
    rows = [[escape_markdown(state), number(count)] for state, count in found.waiting.items()]
    return _table(["last outcome", "to be tried again"], rows, right=1, none="Nothing is waiting to be tried again.")


def _disk(found: Facts) -> str:
    files, held = (sum(pair[at] for pair in found.sizes.values()) for at in (0, 1))
    rows = [[f"`{part}`", number(files), size(held)] for part, (files, held) in found.sizes.items()]
    rows.append(["all", number(files), size(held)])
    return f"{_table(['part', 'files', 'size'], rows, right=2)}\n\n{_verification(found)}"


def _verification(found: Facts) -> str:
    if found.verified is None:
        return "Never verified: run `seogo verify`."
    if isinstance(found.verified, str):
        return f"{escape_markdown(found.verified)}: run `seogo verify`."
    last = found.verified
    first = escape_markdown(last.first_fault)
    result = (
        f"{counted(last.faults, 'fault')}, the first: {first}" if last.faults else "files, rows and captures all agree"
    )
    return f"Last verified {moment(last.ended_at)}: {result}."


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], *, right: int = 0, none: str = _NONE) -> str:
    """The first hundred rows, and how many more there are."""
    more = f"\n\n… and {len(rows) - _MOST_ROWS:,} more." if len(rows) > _MOST_ROWS else ""
    return table(names, rows[:_MOST_ROWS], right=right, none=none) + more


def _article(row: Row) -> str:
    return link(row["title"] or row["id"], row["url"])


def _newest_file(row: Row) -> str:
    return LISTED if row["status"] == LISTED else _file(row)


def _file(row: Row) -> str:
    return f"`{row['file']}`" if row["file"] else ""
