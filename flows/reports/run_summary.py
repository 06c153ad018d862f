"""The receipt of a run (`Receipt.as_json()`) for an operator: as Markdown, as rows of a table, as lines of a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flows.reports.text import LISTED, bullets, counts, document, link, moment, number, seconds, size, table
from schemas.counted import counted
from schemas.safe_text import escape_markdown, one_line

MOST = 20
"""Lines of one section. The receipt holds more, and the archive all of it."""

_FORBIDDEN = "forbidden"
_GOOD_ENDS = frozenset({"overlap", "end", "empty"})

Json = Mapping[str, Any]


def account(receipt: Json) -> str:
    """A receipt as Markdown. Empty sections are left out."""
    return document(
        _head(receipt),
        {
            "Finds by outcome": _outcomes(receipt),
            "Sources": _sources(receipt),
            "New articles": _newest(receipt),
            "Drift": _list(receipt.get("drift", ())),
            "In quarantine": _reasons(receipt.get("held", {}), of=receipt.get("quarantined", 0)),
            "Gaps": _list(receipt.get("gaps", ())),
            "Faults": _reasons(receipt.get("faults", {})),
            "Hosts": _hosts(receipt.get("hosts", {})),
            "robots.txt": _robots(receipt),
            "Hosts that asked for a pause": _reasons(receipt.get("resting", {})),
            "Notes": _list(receipt.get("notes", ())),
        },
    )


def new_articles(receipt: Json) -> list[dict[str, str]]:
    """The new articles in the receipt as rows of a table: published, publisher, title, url, file (or `listed`)."""
    return [
        {"published": _korean_time(article.get("published_at"))}
        | {name: one_line(article.get(name) or "") for name in ("publisher", "title", "url", "file")}
        | ({"file": LISTED} if article.get("status") == LISTED else {})
        for article in receipt.get("newest", ())
    ]


def summary(receipt: Json) -> str:
    """How a run went, in one line for a log."""
    return f"{receipt['finds']} finds ({counts(receipt['outcomes']) or 'none'}); {_traffic(receipt)}"


def remarks(receipt: Json) -> list[str]:
    """What an operator should look at, in lines for a log: sources that were not read to the end, drift, gaps."""
    odd = [f"{source['source']}: {_end(source)}" for source in receipt["sources"] if source["end"] not in _GOOD_ENDS]
    lines = [*odd, *receipt.get("drift", ()), *receipt.get("gaps", ()), *receipt.get("resting", {}).values()]
    return [one_line(line) for line in lines[:MOST]]


def listing(title: str, sentence: str, lines: Iterable[str]) -> str:
    """Markdown about a run without a receipt: a title, a sentence, and the first lines of a list."""
    parts = (f"# {escape_markdown(title)}", escape_markdown(sentence), _list(list(lines)))
    return "\n\n".join(part for part in parts if part) + "\n"


# -- the sections


def _head(receipt: Json) -> str:
    what = " ".join(filter(None, (receipt["command"], receipt.get("topic"))))
    began = moment(receipt["started_at"])
    lines = [
        f"# {escape_markdown(what)}: {receipt.get('exit_reason') or 'unfinished'}",
        escape_markdown(receipt.get("explanation") or ""),
        f"{_traffic(receipt)}. Run `{receipt['run_id']}`, began {began} in Korea.",
    ]
    return "\n\n".join(line for line in lines if line)


def _traffic(receipt: Json) -> str:
    parts = [counted(receipt["requests"], "request"), size(receipt["bytes"]), seconds(_duration(receipt))]
    return ", ".join(part for part in parts if part)


def _duration(receipt: Json) -> float | None:
    if not receipt.get("finished_at"):
        return None
    finished, started = (datetime.fromisoformat(receipt[key]) for key in ("finished_at", "started_at"))
    return (finished - started).total_seconds()


def _outcomes(receipt: Json) -> str:
    rows = [(outcome, number(count)) for outcome, count in receipt["outcomes"].items() if count]
    return _table(("outcome", "finds"), rows)


def _sources(receipt: Json) -> str:
    outcomes = receipt.get("by_source", {})
    rows = [
        (one["source"], str(one["pages"]), str(one["items"]), counts(outcomes.get(one["source"], {})), _end(one))
        for one in receipt["sources"]
    ]
    named = {source["source"] for source in receipt["sources"]}
    rows += [(name, "", "", counts(numbers), "") for name, numbers in outcomes.items() if name not in named]
    return _table(("source", "pages", "items", "finds", "why it ended"), rows)


def _end(source: Json) -> str:
    return f"{source['end']}: {source['reason']}"


def _newest(receipt: Json) -> str:
    lines = [_article(one) for one in receipt.get("newest", ())]
    return bullets(lines, most=len(lines), of=receipt["outcomes"].get("new", 0) if lines else 0)


def _korean_time(value: str | None) -> str:
    """With its zone: the artifacts are read next to Prefect's times, which are those of the browser."""
    return f"{moment(value)} KST" if value else ""


def _article(one: Json) -> str:
    published = _korean_time(one.get("published_at")) or "unknown time"
    publisher, title = escape_markdown(one.get("publisher") or ""), one.get("title") or "article"
    listed = f" ({LISTED})" if one.get("status") == LISTED else ""
    return f"{published} {publisher}: {link(title, one.get('url'))}{listed}"


def _hosts(hosts: Mapping[str, Mapping[str, float]]) -> str:
    """Slowest first."""
    slow = sorted(hosts.items(), key=lambda item: -item[1].get("slowest", 0.0))[:MOST]
    rows = [
        (host, f"{of['requests']:,.0f}", size(of["bytes"]), f"{of['seconds']:.1f} s", f"{of['slowest']:.2f} s")
        for host, of in slow
    ]
    return _table(("host", "requests", "bytes", "time", "slowest answer"), rows)


def _robots(receipt: Json) -> str:
    """What robots.txt forbade, and which robots.txt could not be read."""
    lines = [f"{source['source']}: {source['reason']}" for source in receipt["sources"] if source["end"] == _FORBIDDEN]
    if listed := receipt["outcomes"].get("listed", 0):
        lines.append(f"{listed:,} articles are kept as what the sources said: their pages may not be fetched")
    hosts = receipt.get("robots", {}).get("hosts", {})
    lines += [f"{host}: could not be read: {found['fault']}" for host, found in hosts.items() if found.get("fault")]
    return _list(lines)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(names, [[escape_markdown(cell) for cell in row] for row in rows])


def _list(lines: Sequence[str], *, of: int = 0) -> str:
    return bullets([escape_markdown(line) for line in lines], most=MOST, of=of)


def _reasons(reasons: Mapping[str, str], *, of: int = 0) -> str:
    return _list([f"{name}: {reason}" for name, reason in reasons.items()], of=of)
