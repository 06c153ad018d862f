"""The report for whoever runs the archive, as Markdown: what came in, what went wrong, what waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.reports.facts import Facts, Row, facts, outcomes_by_day
from schemas.article import SEOUL, Outcome
from schemas.errors import BadInput
from storage.exports.markdown import escaped

_MOST_ROWS = 100
_NONE = "None."
_ALL_AGREE = "files, rows and captures all agree"
_LONGEST = 3650


def report(archive: Path, *, days: int = 7, now: datetime | None = None) -> str:
    """Markdown about the last `days` Korean days of an archive, today among them.

    Read from the readers' database: it may be written at any time. Raises BadInput, ArchiveDamaged.
    """
    return markdown(read(archive, days=days, now=now))


def read(archive: Path, *, days: int = 7, now: datetime | None = None) -> Facts:
    """What the report tells, as values. Raises as `report`."""
    return facts(archive, days=checked(days), now=now or datetime.now(UTC))


def checked(days: int) -> int:
    """The number of days. Raises BadInput for one that makes no report."""
    if not 1 <= days <= _LONGEST:
        raise BadInput(f"a report tells of 1 to {_LONGEST} days (given {days}).")
    return days


def markdown(found: Facts) -> str:
    """Facts as Markdown."""
    sections = {
        "Articles by outcome and day of the crawl": _daily(found),
        "Runs": _runs(found),
        "Newest articles": _newest(found),
        "Edits": _edits(found),
        "Deletions": _gone(found),
        "Share of voice": _voices(found),
        "Coverage gaps": _gaps(found),
        "Quarantine": _held(found),
        "Waiting": _waiting(found),
        "On the disk": _disk(found),
    }
    parts = [_head(found), *(f"## {title}\n\n{text}" for title, text in sections.items())]
    return "\n\n".join(parts) + "\n"


def _head(found: Facts) -> str:
    last = found.last_runs[0] if found.last_runs else None
    lines = [
        f"# {found.days} days of {escaped(found.archive)}",
        "",
        f"{found.since:%Y-%m-%d} to {moment(found.now)} (Korean time), from a copy of {moment(found.as_of)}:"
        f" {found.articles:,} articles in all.",
    ]
    if last:
        said = f": {escaped(last['explanation'])}" if last["explanation"] else ""
        lines += ["", f"Last run: {last['command']} of {moment(last['started_at'])}, **{last['ended']}**{said}."]
    return "\n".join(lines)


def _daily(found: Facts) -> str:
    by_day = outcomes_by_day(found.daily)
    present = {outcome for day in by_day.values() for outcome in day}
    order: list[str] = [outcome.value for outcome in Outcome if outcome.value in present]
    order += sorted(present - set(order))
    rows = [[day, *(number(counts.get(outcome, 0)) for outcome in order)] for day, counts in by_day.items()]
    return table(["day", *order], rows, right=len(order))


def _runs(found: Facts) -> str:
    rows = [
        [row["command"], row["ended"], number(row["runs"]), number(row["requests"]), size(row["bytes"]),
         seconds(row["longest"])]
        for row in found.runs
    ]  # fmt: skip
    return table(["command", "ended", "runs", "requests", "received", "longest"], rows, right=4)


def _newest(found: Facts) -> str:
    rows = [
        [moment(row["published_at"]), linked(row), escaped(row["publisher"] or ""), _file(row)] for row in found.newest
    ]
    return table(["published", "article", "publisher", "file"], rows)


def _edits(found: Facts) -> str:
    rows = [[moment(row["crawled_at"]), linked(row), _before(row), _file(row)] for row in found.edits]
    return table(["seen", "article", "what changed", "file"], rows)


def _before(row: Row) -> str:
    if row["before"] is None or row["before"] == row["title"]:
        return "the text"
    return f"the title, before: {escaped(row['before'])}"


def _gone(found: Facts) -> str:
    rows = [
        [moment(row["seen_at"]), linked(row), escaped(row["reason"]), _file(row) or "was never archived"]
        for row in found.gone
    ]
    return table(["seen", "article", "notice", "file"], rows)


def _voices(found: Facts) -> str:
    lately, ever = (sum(row[name] for row in found.voices) for name in ("lately", "ever"))
    rows = [
        [escaped(row["team"]), number(row["lately"]), share(row["lately"], lately), number(row["ever"]),
         share(row["ever"], ever)]
        for row in found.voices
    ]  # fmt: skip
    return table(["team", f"{found.days} days", "share", "ever", "share of all"], rows, right=4)


def _gaps(found: Facts) -> str:
    if found.gaps is None:
        return "Not known: this database is from before coverage was noted. The next run brings it up to date."
    rows = [
        [escaped(row["source"]), moment(row["since"]), moment(row["until"]), escaped(row["reason"] or "")]
        for row in found.gaps
    ]
    return table(["source", "from", "to", "reason"], rows, none="None: every source was read without a gap.")


def _held(found: Facts) -> str:
    if found.held is None:
        return "Not known: this database is from before pages were held. The next run brings it up to date."
    rows = [[moment(row["held_at"]), _link(row["id"], row["url"]), escaped(row["reason"])] for row in found.held]
    return table(["held", "article", "reason"], rows, none="Empty: no page is held.")


def _waiting(found: Facts) -> str:
    rows = [[escaped(state), number(count)] for state, count in found.waiting.items()]
    return table(["last outcome", "to be tried again"], rows, right=1, none="Nothing waits to be tried again.")


def _disk(found: Facts) -> str:
    rows = [[f"`{part}`", number(files), size(held)] for part, (files, held) in found.sizes.items()]
    rows.append(["all", *_sums(found)])
    return f"{table(['part', 'files', 'size'], rows, right=2)}\n\n{_verification(found)}"


def _sums(found: Facts) -> list[str]:
    files, held = (sum(pair[at] for pair in found.sizes.values()) for at in (0, 1))
    return [number(files), size(held)]


def _verification(found: Facts) -> str:
    if found.verified is None:
        return "No verification has been noted: run `seogo verify`."
    if isinstance(found.verified, str):
        return f"{escaped(found.verified)}: run `seogo verify`."
    last = found.verified
    said = f"{last.faults:,} faults, the first: {escaped(last.first_fault)}" if last.faults else _ALL_AGREE
    return f"Last verified {moment(last.ended_at)}: {said}."


# -- values as Markdown


def table(names: Sequence[str], rows: Sequence[Sequence[str]], *, right: int = 0, none: str = _NONE) -> str:
    """A table; the last `right` columns are numbers. Cells are Markdown already. `none` where there are no rows."""
    if not rows:
        return none
    more = [f"\n… and {len(rows) - _MOST_ROWS:,} more."] if len(rows) > _MOST_ROWS else []
    return "\n".join([*_table_lines(names, rows[:_MOST_ROWS], right), *more])


def _table_lines(names: Sequence[str], rows: Sequence[Sequence[str]], right: int) -> Iterator[str]:
    yield _row(names)
    yield _row(["---"] * (len(names) - right) + ["---:"] * right)
    for row in rows:
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def linked(row: Row) -> str:
    """An article's title as a link to its page."""
    return _link(row["title"] or row["id"], row["url"])


def _link(text: str, url: str | None) -> str:
    # Addresses of articles are made of their keys; what is none is no link.
    return f"[{escaped(text)}](<{url}>)" if url and _is_plain(url) else escaped(text)


def _is_plain(url: str) -> bool:
    return (
        url.startswith(("http://", "https://")) and url.isascii() and url.isprintable() and not set(url) & set("<>|\\ ")
    )


def _file(row: Row) -> str:
    return f"`{row['file']}`" if row["file"] else ""


def moment(value: datetime | None) -> str:
    """A time for people, in Korea's."""
    return f"{value.astimezone(SEOUL):%Y-%m-%d %H:%M}" if value else ""


def number(value: Any) -> str:
    """A count; nothing for none."""
    return f"{value:,}" if value else ""


def share(part: int, whole: int) -> str:
    """A part in per cent."""
    return f"{part / whole:.1%}" if whole else ""


def seconds(value: float | None) -> str:
    """A duration."""
    return "" if value is None else f"{value:,.1f} s"


def size(value: float | None) -> str:
    """Bytes for people, in powers of 1,000."""
    held, unit = float(value or 0), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if held < 1000:
            break
        held, unit = held / 1000, larger
    return f"{held:,.0f} {unit}" if unit == "B" or held >= 100 else f"{held:,.1f} {unit}"
