"""A topic file, and what should be changed in it before Naver is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.text import Text

from flows.cli.show.safe import shown
from flows.cli.show.terminal import grid, print_table, say
from flows.runs.settings import topic_warnings

if TYPE_CHECKING:
    from schemas.topic import Topic


def show_topic(topic: Topic) -> None:
    """A summary of a topic file."""
    limits = topic.limits
    rows = {
        "topic": f"{topic.name}: {topic.title}",
        "contact": topic.contact,
        "robots.txt": topic.robots + (f" ({topic.permission})" if topic.permission else ""),
        "sources": ", ".join(source.label for source in topic.sources),
        "queries": ", ".join(topic.queries),
        "teams": ", ".join(team.name for team in topic.teams),
        "rules": f"{len(topic.relevance.phrases)} for, {len(topic.relevance.exclude)} against; "
        f"on topic from {topic.relevance.threshold:g}",
        "rate": f"{_rate(limits.requests_per_second)}, {limits.concurrency} at once",
        "window": f"lag {_span(limits.lag)}, first lookback {_span(limits.lookback)}",
        "files": topic.archive.front_matter,
    }
    about = grid()
    for name, value in rows.items():
        about.add_row(Text(name, style="dim"), Text(shown(value)))
    print_table(about)
    for warning in topic_warnings(topic):
        say(f"warning: {warning}", "yellow")
    say("no mistakes", "bold green")


def topic_object(topic: Topic) -> dict[str, Any]:
    """The same for programs."""
    return {**topic.model_dump(mode="json"), "warnings": topic_warnings(topic)}


def _rate(number: float) -> str:
    if not number:
        return "no limit"
    return f"{number:g} {'request' if number == 1 else 'requests'} per second and host"


def _span(span: timedelta) -> str:
    """A duration as a topic file has it: `2h`, `3d`, `90m`."""
    seconds = span.total_seconds()
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:g}{name}"
    return f"{seconds:g}s"
