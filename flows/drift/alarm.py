"""The drift alarm: do the pages of this run look like the ones before? Pure.

    drift.py           DriftAlarm: looks at batches, holds pages back, rings, learns
    drift_finding.py   what drifts, and which pages that concerns
    drift_chance.py    what chance explains
    drift_memory.py    how pages enter the memory, and fade

A page is known by its marks (`flows/naver/traits.py`): which fields it has and where they were found, what on the page
says the same, of what shape the parts are that were read, how long its texts are. For each mark the baseline knows how
many of the last thousand pages of the layout had it, and of each press office's. A mark *drifts* when new pages have
it, or lack it, far more often than that, and chance explains it less than once in a hundred million times.

That is not enough: what is found changes too. A search names other articles than a list, a source is added to the
topic, a press office begins to embed maps. So the share of pages has to speak of the site, in the batch or in windows
of 8 to 32 pages. It depends on what the mark says:

- a doubt or a contradiction that (nearly) no page showed (`og:title is not the title`): a fifth of the pages;
- an element or a key that (nearly) no page showed: two fifths;
- what articles are like (fields, kinds, lengths, lines), elements that are missing, all that was seen before, and the
  elements of a single press office: nearly all (90 %) of 16 pages or more, where 40 % at most were so (lengths: 10 %);
- nothing about articles where most are of a section of which fewer than `ENOUGH_OF_PRESS` pages are known, or of press
  offices never met; of a known section that is suddenly frequent, only what (nearly) no page showed.

The sections themselves never ring, nor do elements new to one press office that others have, nor the lines and elements
of copies of one release. What drifts is of two kinds:

- what (nearly) no page of the baseline showed: where a few pages of the batch show it now, these are held back; where
  more than a quarter do, the rest may only have nothing to show it by, and all are held back;
- a share or a length that shifted: nobody can tell which pages are right, so all of the batch are held back.

Of later batches those pages are held back that show it. When it rings, pages of the batch are also held back that
differ from all earlier ones in some other way, however few they are.

Three pages of two press offices can be enough, once 600 pages are known; four once 200 are. Of a layout of which fewer
than `ENOUGH` pages are known, and of a press office of fewer than `ENOUGH_OF_PRESS`, pages are only learned. The 32
newest pages are judged together with the new ones, so that a change which comes in runs of one or two pages is noticed
too.

The hits of search pages and lists are watched as pages of a layout of their own (`flows/naver/hit_traits.py`). They
ring where a fifth of them lacks a title, and where nearly all of 8 or more titles end in the same letters while many
different letters precede these. Hits that were read before, and endings of a single press office, do not count. What
right hits are like is taken for granted, so hits ring from the first page on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flows.drift.detect import ENOUGH, ENOUGH_OF_PRESS, Aspect, Drift, Page, Scope, find_drifts, oddity
from flows.drift.memory import learn, remember
from flows.naver.hit_traits import RIGHT_HITS, are_hits
from schemas.traits import Baseline, LayoutMemory, Traits

__all__ = ["ENOUGH", "ENOUGH_OF_PRESS", "STEADY_ITEMS", "STEADY_READINGS", "DriftAlarm"]

STEADY_READINGS, STEADY_ITEMS = 20, 3
"""A source that named so many items in each of its last so many readings is expected to name one."""

_MANY_UNREAD = 3
_STRUCK = 1 / 4  # of a batch
_NAMED = 4  # findings that an alarm names
_WHAT_TO_DO = (
    "Look at such a page. Where it is read wrongly: mend the parser, raise its version, then run"
    " `seogo reparse --quarantined`. Where it is read well: the same with `--accept`."
)
_ABOUT_HITS = (
    "Look at what the source answers. Where titles are read wrongly: mend the parser and raise its version; the next"
    " crawl reads the source from where it was. Where they are right: `seogo reparse --quarantined --accept`."
)


@dataclass(slots=True)
class _Seen:
    """A layout in the course of a run: what is remembered by now, and what drifted."""

    memory: LayoutMemory
    drifts: dict[Aspect, Drift] = field(default_factory=dict)


class DriftAlarm:
    """The alarm of one run. Give it every page that was parsed, a batch at a time, *before* the batch is stored.

    `alarms`: what rang, each once, in words. With `accept` nothing rings and nothing is held: what the run shows
    becomes the baseline of its layouts and sources, and what was known of them is forgotten.
    """

    def __init__(self, baseline: Baseline, *, accept: bool = False) -> None:
        self.alarms: list[str] = []
        self._baseline = baseline
        self._accept = accept
        self._seen: dict[str, _Seen] = {}
        self._readings: dict[str, tuple[int, ...]] = {}

    def look(self, pages: Sequence[tuple[str, Traits]], *, unread: int = 0) -> Mapping[str, str]:
        """The pages of a batch (article id, traits) that are not to be stored: id -> why.

        `unread`: how many further pages of the batch no parser could read. Where they are the greater part, what was
        read of the others is not to be trusted either.
        """
        if unread >= _MANY_UNREAD and unread > len(pages) and not self._accept:
            reason = f"{unread} of {unread + len(pages)} pages of the batch could not be read at all"
            return dict.fromkeys((name for name, _ in pages), reason)
        held: dict[str, str] = {}
        for layout in dict.fromkeys(traits.layout for _, traits in pages):
            held |= self._look_at(layout, [(name, traits) for name, traits in pages if traits.layout == layout])
        return held

    def source(self, name: str, items: int, *, believed: bool = False) -> str | None:
        """Note what a reading of a source named; a sentence where that is nothing and it always named something.

        `believed`: the silence has lasted so long that the source is taken at its word.
        """
        known = self._known_readings(name)
        steady = known[-STEADY_READINGS:]
        if items or believed or len(steady) < STEADY_READINGS or min(steady) < STEADY_ITEMS:
            self._readings[name] = remember(known, items)
            return None
        alarm = (
            f"{name} names nothing; each of its last {STEADY_READINGS} readings named {min(steady)} or more: its"
            " layout changed, or Naver refuses it without saying so. Look at what it answers."
        )
        self._ring(alarm)
        return alarm

    def learned(self) -> Baseline:
        """The baseline with this run's pages and readings: without what was held, without a reading that rang."""
        layouts = {layout: seen.memory for layout, seen in self._seen.items()}
        # Whoever accepts pages as they look now may have hits in mind, of which none is in quarantine.
        forgotten = {layout: LayoutMemory() for layout in self._baseline.layouts if self._accept and are_hits(layout)}
        return Baseline(
            {**self._baseline.layouts, **forgotten, **layouts}, {**self._baseline.sources, **self._readings}
        )

    def _known_readings(self, name: str) -> tuple[int, ...]:
        if name in self._readings or self._accept:
            return self._readings.get(name, ())
        return self._baseline.sources.get(name, ())

    def _look_at(self, layout: str, batch: Sequence[tuple[str, Traits]]) -> dict[str, str]:
        seen = self._seen.setdefault(layout, _Seen(self._known_pages(layout)))
        pages = [Page.of(traits, name) for name, traits in batch]
        found = [] if self._accept else find_drifts(layout, seen.memory, pages)
        new = _news(found, seen.drifts)
        held = _odd(layout, seen.memory, pages) if new else {}
        held |= _held(pages, new[::-1], list(seen.drifts))  # the most telling one last: its reason stays
        self._tell(new)
        seen.drifts |= {drift.aspect: drift for drift in new}
        seen.memory = learn(seen.memory, [traits for name, traits in batch if name not in held])
        return held

    def _known_pages(self, layout: str) -> LayoutMemory:
        if self._accept:
            return LayoutMemory()
        return self._baseline.layouts.get(layout, RIGHT_HITS if are_hits(layout) else LayoutMemory())

    def _tell(self, drifts: Sequence[Drift]) -> None:
        for scope in dict.fromkeys(drift.aspect.scope for drift in drifts):
            self._ring(_alarm(scope, [drift for drift in drifts if drift.aspect.scope == scope]))

    def _ring(self, alarm: str) -> None:
        if alarm not in self.alarms:
            self.alarms.append(alarm)


def _news(found: Sequence[Drift], known: Mapping[Aspect, Drift]) -> list[Drift]:
    """What has not rung yet: a press office's drift is none of its own where the layout drifts the same way."""
    layouts = {*known, *(drift.aspect for drift in found if not drift.aspect.scope.press)}
    own = (drift for drift in found if not drift.aspect.scope.press or drift.aspect.of_layout not in layouts)
    return [drift for drift in own if drift.aspect not in known]


def _held(batch: Sequence[Page], new: Sequence[Drift], known: Sequence[Aspect]) -> dict[str, str]:
    """The pages of a batch that are in doubt for what was found in it, or show what was found earlier."""
    held = {page.id: _again(aspect) for page in batch for aspect in known if aspect.shown_by(page)}
    for drift in new:
        held |= {page.id: f"{drift.aspect.scope}: {drift}" for page in _doubtful(drift, batch)}
    return held


def _doubtful(drift: Drift, batch: Sequence[Page]) -> list[Page]:
    pages = [page for page in batch if drift.aspect.scope.concerns(page)]
    shown = [page for page in pages if drift.aspect.shown_by(page)]
    return pages if drift.shift or len(shown) > _STRUCK * len(pages) else shown


def _odd(layout: str, memory: LayoutMemory, batch: Sequence[Page]) -> dict[str, str]:
    """Of a batch for which the alarm rings: the pages that differ from earlier ones in any other way."""
    odd = ((page, oddity(Scope(layout), memory.counts, page)) for page in batch)
    return {page.id: f"{layout}: {_says(aspect)}, and the alarm rang" for page, aspect in odd if aspect}


def _says(aspect: Aspect) -> str:
    return f"“{aspect.mark}” is {'missing' if aspect.gone else 'there'}, unlike on earlier pages"


def _again(aspect: Aspect) -> str:
    return f"{aspect.scope}: {_says(aspect)}, for which the alarm rang in this run"


def _alarm(scope: Scope, drifts: Sequence[Drift]) -> str:
    named = "; ".join(str(drift) for drift in drifts[:_NAMED])
    more = f"; and {len(drifts) - _NAMED} more" if len(drifts) > _NAMED else ""
    pages, what_to_do = ("hits", _ABOUT_HITS) if are_hits(scope.layout) else ("pages", _WHAT_TO_DO)
    return f"{scope}: the {pages} do not look as before: {named}{more}. {what_to_do}"
