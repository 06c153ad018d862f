"""A run's receipt as an operator reads it: Markdown, and the rows of a table. Pure.

What comes from pages (titles, names, addresses, reasons that quote them) is third-party text: it is escaped, so that it
can neither change the account's shape nor bring a link or markup of its own.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from schemas.article import SEOUL

MOST = 20
"""Lines of one section. The receipt holds more, the archive all of it."""

_PUNCTUATION = re.compile(f"([{re.escape(string.punctuation)}])")
_CLOSED_BY_ROBOTS = "forbidden"
_AS_IT_SHOULD = frozenset({"overlap", "end", "empty"})

Json = Mapping[str, Any]


def account(receipt: Json) -> str:
    """The whole account of a receipt (`Receipt.as_json()`) as Markdown. Empty sections are left out."""
    sections = [
        _head(receipt),
        _section("Finds by outcome", _outcomes(receipt)),
        _section("Sources", _sources(receipt)),
        _section("New articles", _newest(receipt)),
        _section("Drift", _list(receipt.get("drift", ()))),
        _section("In quarantine", _held(receipt)),
        _section("Gaps", _list(receipt.get("gaps", ()))),
        _section("Faults", _reasons(receipt.get("faults", {}))),
        _section("Hosts", _hosts(receipt.get("hosts", {}))),
        _section("robots.txt", _robots(receipt)),
        _section("Hosts that asked for a pause", _reasons(receipt.get("resting", {}))),
        _section("Notes", _list(receipt.get("notes", ()))),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def new_articles(receipt: Json) -> list[dict[str, str]]:
    """The articles that the run stored as new, as rows of a table: published, publisher, title, url, file."""
    return [
        {
            "published": _minute(article.get("published_at")),
            "publisher": plain(article.get("publisher")),
            "title": plain(article.get("title")),
            "url": plain(article.get("url")),
            "file": plain(article.get("file")),
        }
        for article in receipt.get("newest", ())
    ]


def summary(receipt: Json) -> str:
    """How a run went, in one line for a log."""
    counts = ", ".join(f"{outcome} {number}" for outcome, number in receipt["outcomes"].items() if number)
    return f"{receipt['finds']} finds ({counts or 'none'}); {_traffic(receipt)}"


def remarks(receipt: Json) -> list[str]:
    """What an operator should look at, in plain lines: sources that were not read as they should be, drift, gaps."""
    odd = [f"{source['source']}: {_end(source)}" for source in receipt["sources"] if source["end"] not in _AS_IT_SHOULD]
    said = [*odd, *receipt.get("drift", ()), *receipt.get("gaps", ()), *receipt.get("resting", {}).values()]
    return [plain(line) for line in said[:MOST]]


def listing(title: str, said: str, lines: Iterable[str]) -> str:
    """An account that is no receipt: a title, a sentence, and a list of which the first lines are shown."""
    return "\n\n".join(part for part in (f"# {title}", escaped(said), _list(list(lines))) if part) + "\n"


def plain(text: object) -> str:
    """Third-party text on one line, without characters that steer a terminal or turn the direction of writing."""
    whole = "" if text is None else str(text)
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in whole)
    return " ".join(kept.split())


def escaped(text: object) -> str:
    """Third-party text as Markdown that shows it as it is: every punctuation mark is escaped."""
    return _PUNCTUATION.sub(r"\\\1", plain(text))


def link(text: object, url: object) -> str:
    """A link, if the address is one of the web; else only the text."""
    target = plain(url)
    if not target.startswith(("http://", "https://")):
        return escaped(text)
    return f"[{escaped(text) or 'article'}](<{quote(target, safe=':/?#@!$&=+,;%~-._')}>)"


# -- the sections


def _head(receipt: Json) -> str:
    lines = [
        f"# {escaped(receipt['command'])} {escaped(receipt.get('topic'))}: {escaped(receipt.get('exit_reason'))}",
        escaped(receipt.get("explanation")),
        f"{escaped(_traffic(receipt))}. Run `{receipt['run_id']}`, began {_minute(receipt['started_at'])} in Korea.",
    ]
    return "\n\n".join(line for line in lines if line)


def _traffic(receipt: Json) -> str:
    took = _seconds(receipt)
    sent = f"{receipt['requests']:,} requests, {_size(receipt['bytes'])}"
    return f"{sent}, {took:.1f} s" if took is not None else sent


def _outcomes(receipt: Json) -> str:
    rows = [(outcome, f"{number:,}") for outcome, number in receipt["outcomes"].items() if number]
    return _table(("outcome", "finds"), rows)


def _sources(receipt: Json) -> str:
    outcomes = receipt.get("by_source", {})
    rows = [
        (source["source"], source["pages"], source["items"], _counted(outcomes.get(source["source"], {})), _end(source))
        for source in receipt["sources"]
    ]
    named = {source["source"] for source in receipt["sources"]}
    rows += [(name, "", "", _counted(counts), "") for name, counts in outcomes.items() if name not in named]
    return _table(("source", "pages", "items", "finds", "why it ended"), rows)


def _end(source: Json) -> str:
    return f"{source['end']}: {source['reason']}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{outcome} {number}" for outcome, number in counts.items() if number)


def _newest(receipt: Json) -> str:
    articles = list(receipt.get("newest", ()))
    lines = [_article(one) for one in articles[:MOST]]
    return "\n".join(lines + _more(len(articles)))


def _article(one: Json) -> str:
    published, publisher = _minute(one.get("published_at")), escaped(one.get("publisher"))
    return f"- {published} {publisher}: {link(one.get('title'), one.get('url'))}"


def _held(receipt: Json) -> str:
    """Pages kept out of the archive until somebody looked."""
    return _reasons(receipt.get("held", {}), most=receipt.get("quarantined"))


def _hosts(hosts: Mapping[str, Mapping[str, float]]) -> str:
    """Slowest first."""
    slow = sorted(hosts.items(), key=lambda item: -item[1].get("slowest", 0.0))[:MOST]
    rows = [
        (host, f"{of['requests']:,.0f}", _size(of["bytes"]), f"{of['seconds']:.1f} s", f"{of['slowest']:.2f} s")
        for host, of in slow
    ]
    return _table(("host", "requests", "bytes", "time", "slowest answer"), rows)


def _robots(receipt: Json) -> str:
    """What robots.txt forbade, and what could not be read of it."""
    lines = [
        f"{source['source']}: {source['reason']}" for source in receipt["sources"] if source["end"] == _CLOSED_BY_ROBOTS
    ]
    if listed := receipt["outcomes"].get("listed", 0):
        lines.append(f"{listed:,} articles are kept as what the sources said: their pages may not be fetched")
    hosts = receipt.get("robots", {}).get("hosts", {})
    lines += [f"{host}: could not be read: {said['fault']}" for host, said in hosts.items() if said.get("fault")]
    return _list(lines)


# -- how it is written


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(escaped(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _list(lines: Sequence[str], *, most: int | None = None) -> str:
    """The first lines; `most`: how many there are in all, where not all are given."""
    return "\n".join([f"- {escaped(line)}" for line in lines[:MOST]] + _more(max(len(lines), most or 0)))


def _reasons(reasons: Mapping[str, str], *, most: int | None = None) -> str:
    return _list([f"{name}: {reason}" for name, reason in reasons.items()], most=most)


def _more(number: int) -> list[str]:
    return [f"- and {number - MOST} more"] if number > MOST else []


def _minute(moment: str | None) -> str:
    """In Korean time, as on the page."""
    return f"{datetime.fromisoformat(moment).astimezone(SEOUL):%Y-%m-%d %H:%M}" if moment else "unknown time"


def _seconds(receipt: Json) -> float | None:
    if not receipt.get("finished_at"):
        return None
    finished, started = (datetime.fromisoformat(receipt[key]) for key in ("finished_at", "started_at"))
    return (finished - started).total_seconds()


def _size(number: float) -> str:
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"
