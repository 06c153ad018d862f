"""A story as a timeline, and a text against the one that it has most in common with."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from rich.text import Text

from flows.cli.show.article import hunks_text
from flows.cli.show.safe import line, shown
from flows.cli.show.terminal import out, say
from flows.cli.show.values import cell
from flows.reports.text import duration
from schemas.article import SEOUL
from schemas.counted import counted

if TYPE_CHECKING:
    from flows.reports.story import Comparison, Publication, Shown, Story

_STYLES = {"shared": "dim", "changed": "", "new": "bold", "missing": "red strike"}
_MARKS = {"shared": "=", "changed": "~", "new": "+", "missing": "-"}


def show_story(found: Story) -> None:
    """The articles in order of time, each with what its text has from an earlier one."""
    publications = found.publications
    names = {one.id: one for one in publications}
    say(publications[0].title or found.story, "bold")
    publishers = len({one.publisher for one in publications})
    say(f"story {found.story}: {counted(len(publications), 'article')} of {counted(publishers, 'publisher')}", "dim")
    for one in publications:
        out.print()
        say(f"{cell(one.published_at)}  {_name(one)}  {one.title or ''}")
        origin = _origin(one, names[one.source]) if one.source else _own(one, publications[0])
        say(f"    {origin}", "dim")
    if any(one.source for one in publications):
        out.print()
        say("sentence by sentence: seogo show ID --story", "dim")


def _own(one: Publication, first: Publication) -> str:
    """What there is to say of a text that comes from no other, in a sentence."""
    if one.id == first.id:
        return "first by its number: only the day is known" if _unit(one) == "day" else "first"
    if one.minutes_behind == 0:
        return f"of the same {_unit(one)} as the first; little of it stands there"
    return "nothing of it stands in an earlier article"


def _origin(one: Publication, source: Publication) -> str:
    """Where a text comes from, in a sentence."""
    if one.identical:
        return f"the same text as {_name(source)}, letter for letter{_behind(one, source)}"
    shared = f"{_percent(one.share)} of this stands in {_name(source)}{_behind(one, source)}"
    own, omitted = _percent(1 - (one.share or 0)), _percent(1 - (one.kept or 0))
    return f"{shared}; {own} is its own, {omitted} of that one is left out"


def _behind(one: Publication, source: Publication) -> str:
    if one.minutes_behind is None or source.minutes_behind is None:
        return ""
    minutes = one.minutes_behind - source.minutes_behind
    if minutes == 0:
        return f", of the same {_unit(one)}"
    return f", {duration(abs(minutes))} {'before' if minutes >= 0 else 'after'}"


def _unit(one: Publication) -> str:
    """How exactly the time of publication is known. The documents of the older archive have days only, as midnight."""
    known = one.published_at and one.published_at.astimezone(SEOUL).time() != time()
    return "minute" if known else "day"


def show_comparison(found: Comparison) -> None:
    """The sentences of a text: `=` shared, `~` changed (word by word), `+` new; then `-` what only the other has."""
    one, other = found.publication, found.other
    say(one.title or one.id, "bold")
    say(f"compared with {_name(other)}: {other.title or ''}", "dim")
    say("= in both   ~ changed, word by word   + only here   - only in the other", "dim")
    out.print()
    for passage in found.passages:
        out.print(_passage(passage))


def _passage(passage: Shown) -> Text:
    style = _STYLES[passage.kind]
    text = Text(f"{_MARKS[passage.kind]} ")
    if passage.hunks:
        return text.append_text(hunks_text(passage.hunks))
    return text.append(shown(passage.text.strip()), style=style)


def _name(one: Publication) -> str:
    return f"{line(one.publisher or 'unknown')} {one.id}"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0):.0f} %"
