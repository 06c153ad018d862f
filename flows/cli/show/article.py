"""An article, its history, and the differences between two revisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from flows.cli.show.safe import line, shown
from flows.cli.show.terminal import grid, out, print_table, say, table
from flows.cli.show.values import cell, lines

if TYPE_CHECKING:
    from flows.reports.history import History, Hunk, Step

_ABOUT = (
    *("publisher", "authors", "categories", "published_at", "modified_at", "gone_at"),
    *("kind", "original_url", "url", "images"),
    *("id", "content_hash", "parser", "status", "revision", "relevance", "on_topic", "reasons", "teams"),
    *("models", "file"),
)
_STYLES = {"equal": "", "delete": "red strike", "insert": "green"}
_MARKS = {"equal": ("", ""), "delete": ("[-", "-]"), "insert": ("{+", "+}")}


def show_article(fields: Mapping[str, Any]) -> None:
    """Title, the fields about it, and its text."""
    say(fields.get("title") or fields["id"], "bold")
    about = grid()
    for name in _ABOUT:
        if fields.get(name) not in (None, "", []):
            about.add_row(Text(name, style="dim"), Text(lines(name, fields[name])))
    print_table(about)
    out.print()
    out.print(Text(shown(fields.get("body") or fields.get("description") or "(no text)")))


def show_history(found: History) -> None:
    """A row for each revision and event."""
    steps = table()
    for name in ("time", "revision", "what", "changed", "title"):
        steps.add_column(name, overflow="fold", no_wrap=name in ("time", "revision", "what"))
    for step in found.steps:
        steps.add_row(*map(Text, _cells(step)))
    say(found.revisions[-1]["title"] or found.id, "bold")
    print_table(steps)
    if len(found.revisions) > 1:
        say(f"what the last revision changed, word by word: seogo show {found.id} --diff", "dim")


def _cells(step: Step) -> tuple[str, ...]:
    number = "" if step.revision is None else str(step.revision)
    return (cell(step.at), number, step.kind, cell(step.changed), line(step.title or ""))


def show_difference(found: Mapping[str, Any]) -> None:
    """The fields that differ (`id`, `from`, `to`, `fields`). Deletions red and struck, insertions green.

    Without colours, they are marked as `[-deleted-]` and `{+inserted+}`.
    """
    say(f"{found['id']}: revision {found['from']} to {found['to']}", "bold")
    if not found["fields"]:
        say("title, byline, times and text are the same", "dim")
    for name, hunks in found["fields"].items():
        say(name, "dim")
        out.print(hunks_text(hunks))
        out.print()


def hunks_text(hunks: Sequence[Hunk]) -> Text:
    """A word diff: deletions red and struck, insertions green, or both marked where there are no colours."""
    coloured = out.color_system is not None and not out.no_color
    return Text.assemble(*(_hunk(hunk, coloured=coloured) for hunk in hunks))


def _hunk(hunk: Hunk, *, coloured: bool) -> tuple[str, str]:
    text = shown(hunk.text)
    if coloured:
        return text, _STYLES[hunk.op]
    opening, closing = _MARKS[hunk.op]
    body = text.rstrip() or text  # the closing mark goes before trailing white space
    return f"{opening}{body}{closing}{text[len(body) :]}", ""
