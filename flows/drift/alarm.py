"""The drift alarm: compares the pages of a run with a baseline of earlier pages. Pure.

A page is described by its marks (`flows/naver/traits.py`): which fields it has, where they were found, whether other
parts of the page agree with them, the elements of the parts that were parsed, and the lengths of its texts. For each
mark, the baseline stores how many of the last thousand pages of the layout had it, in total and by press office. A mark
*drifts* if new pages have it, or lack it, far more often than that, and if the probability of that by chance is less
than one in a hundred million.

That is not sufficient, because the articles change too: a search returns other articles than a list, a source is added
to the topic, a press office begins to embed maps. So the share of new pages that show the drift, in the batch or in a
window of 8 to 32 pages, must also be so large that only a change of the site explains it. It depends on the mark:

- a doubt or a contradiction that (nearly) no earlier page showed (`og:title is not the title`): a fifth of the pages;
- an element or a key that (nearly) no earlier page showed: two fifths;
- properties of articles (fields, kinds, lengths, lines), missing elements, everything that occurred before, and the
  elements of a single press office: 90 % of at least 16 pages, if at most 40 % of the earlier pages showed it (lengths:
  10 %);
- if most pages of the window belong to a section with fewer than `ENOUGH_OF_PRESS` known pages, or to unknown press
  offices, properties of articles are ignored; if a known section is suddenly frequent, only those that (nearly) no
  earlier page showed count.

Sections themselves never raise an alarm, nor do elements that are new to one press office but known from others, nor
lines and elements that copies of one release have in common. Which pages are quarantined depends on the drift:

- something that (nearly) no page of the baseline showed: the pages of the batch that show it; all of them if more than
  a quarter do, because the others may lack the part that would show it;
- a share or a length that shifted: all pages of the batch, because it is unknown which of them are correct.

In later batches, the pages that show the same drift are quarantined. When an alarm is raised, so is every page of the
batch that differs from all earlier ones in any other way.

Three pages of two press offices can suffice once 600 pages are known, four once 200 are. Pages of a layout with fewer
than `ENOUGH` known pages, and of a press office with fewer than `ENOUGH_OF_PRESS`, only extend the baseline. The 32
newest pages are compared together with the new ones, so that a change is also detected in runs of one or two pages.

Each kind of hits on search pages and lists counts as a layout of its own (`flows/naver/hit_traits.py`). An alarm is
raised if a fifth of the hits lack a title, or if nearly all of 8 or more titles end in the same letters, with many
different letters before these. Hits that were read before, and endings of a single press office, do not count. The
baseline of hits is given in advance, so that an alarm is possible from the first page on.
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
"""A source that returned at least so many items in each of its last readings is expected to return at least one."""

_MANY_UNREAD = 3
_MOST_SHOWING = 1 / 4  # of a batch
_NAMED = 4  # drifts that an alarm names
_WHAT_TO_DO = (
    "Check such a page. If it is parsed wrongly, correct the parser, raise its version, and run"
    " `seogo reparse --quarantined`. If it is parsed correctly, run the same with `--accept`."
)
_WHAT_TO_DO_ABOUT_HITS = (
    "Check the responses of the source. If titles are parsed wrongly, correct the parser and raise its version; the"
    " next crawl continues from the source's cursor. If they are correct, run `seogo reparse --quarantined --accept`."
)


@dataclass(slots=True)
class _Seen:
    """A layout during a run: its current memory, and the drifts found so far."""

    memory: LayoutMemory
    drifts: dict[Aspect, Drift] = field(default_factory=dict)


class DriftAlarm:
    """The drift alarm of one run. It must see every parsed page, batch by batch, *before* the batch is stored.

    `alarms`: the alarms raised, each once. With `accept`, no alarm is raised and no page quarantined: the pages and
    readings of this run replace the baseline of their layouts and sources.
    """

    def __init__(self, baseline: Baseline, *, accept: bool = False) -> None:
        self.alarms: list[str] = []
        self._baseline = baseline
        self._accept = accept
        self._seen: dict[str, _Seen] = {}
        self._readings: dict[str, tuple[int, ...]] = {}

    def check(self, pages: Sequence[tuple[str, Traits]], *, unread: int = 0) -> Mapping[str, str]:
        """The pages of a batch (article id, traits) that must be quarantined: id -> reason.

        `unread`: how many other pages of the batch could not be parsed. If they are the majority, the pages that could
        be parsed are not trusted either.
        """
        if unread >= _MANY_UNREAD and unread > len(pages) and not self._accept:
            reason = f"{unread} of {unread + len(pages)} pages of the batch could not be parsed"
            return dict.fromkeys((name for name, _ in pages), reason)
        quarantined: dict[str, str] = {}
        for layout in dict.fromkeys(traits.layout for _, traits in pages):
            of_layout = [(name, traits) for name, traits in pages if traits.layout == layout]
            quarantined |= self._check_layout(layout, of_layout)
        return quarantined

    def source(self, name: str, items: int, *, believed: bool = False) -> str | None:
        """Record how many items a reading of a source returned. Returns an alarm if there are unexpectedly none.

        `believed`: the source has returned nothing for so long that this is not an alarm.
        """
        known = self._known_readings(name)
        steady = known[-STEADY_READINGS:]
        if items or believed or len(steady) < STEADY_READINGS or min(steady) < STEADY_ITEMS:
            self._readings[name] = remember(known, items)
            return None
        alarm = (
            f"{name} returned no items, but at least {min(steady)} in each of its last {STEADY_READINGS} readings: its"
            " layout may have changed, or Naver may refuse it silently. Check its response."
        )
        self._raise_alarm(alarm)
        return alarm

    def learned(self) -> Baseline:
        """The baseline with this run's pages and readings, without quarantined pages and readings with an alarm."""
        layouts = {layout: seen.memory for layout, seen in self._seen.items()}
        # `accept` may be meant for hits, which are not in quarantine: their baseline starts again in any case.
        reset = {layout: LayoutMemory() for layout in self._baseline.layouts if self._accept and are_hits(layout)}
        return Baseline({**self._baseline.layouts, **reset, **layouts}, {**self._baseline.sources, **self._readings})

    def _known_readings(self, name: str) -> tuple[int, ...]:
        if name in self._readings or self._accept:
            return self._readings.get(name, ())
        return self._baseline.sources.get(name, ())

    def _check_layout(self, layout: str, batch: Sequence[tuple[str, Traits]]) -> dict[str, str]:
        seen = self._seen.setdefault(layout, _Seen(self._known_pages(layout)))
        pages = [Page.of(traits, name) for name, traits in batch]
        found = [] if self._accept else find_drifts(layout, seen.memory, pages)
        new = _new_drifts(found, seen.drifts)
        quarantined = _odd_pages(layout, seen.memory, pages) if new else {}
        quarantined |= _drifted(pages, new[::-1], list(seen.drifts))  # the most significant last: its reason is kept
        self._raise_alarms(new)
        seen.drifts |= {drift.aspect: drift for drift in new}
        seen.memory = learn(seen.memory, [traits for name, traits in batch if name not in quarantined])
        return quarantined

    def _known_pages(self, layout: str) -> LayoutMemory:
        if self._accept:
            return LayoutMemory()
        return self._baseline.layouts.get(layout, RIGHT_HITS if are_hits(layout) else LayoutMemory())

    def _raise_alarms(self, drifts: Sequence[Drift]) -> None:
        for scope in dict.fromkeys(drift.aspect.scope for drift in drifts):
            self._raise_alarm(_alarm(scope, [drift for drift in drifts if drift.aspect.scope == scope]))

    def _raise_alarm(self, alarm: str) -> None:
        if alarm not in self.alarms:
            self.alarms.append(alarm)


def _new_drifts(found: Sequence[Drift], known: Mapping[Aspect, Drift]) -> list[Drift]:
    """The drifts without an alarm so far. A press office's drift is omitted if the whole layout drifts the same way."""
    layouts = {*known, *(drift.aspect for drift in found if not drift.aspect.scope.press)}
    own = (drift for drift in found if not drift.aspect.scope.press or drift.aspect.of_layout not in layouts)
    return [drift for drift in own if drift.aspect not in known]


def _drifted(batch: Sequence[Page], new: Sequence[Drift], known: Sequence[Aspect]) -> dict[str, str]:
    """The pages of a batch that are doubtful because of a new drift, or that show one found earlier."""
    drifted = {page.id: _again(aspect) for page in batch for aspect in known if aspect.shown_by(page)}
    for drift in new:
        drifted |= {page.id: f"{drift.aspect.scope}: {drift}" for page in _doubtful(drift, batch)}
    return drifted


def _doubtful(drift: Drift, batch: Sequence[Page]) -> list[Page]:
    pages = [page for page in batch if drift.aspect.scope.concerns(page)]
    shown = [page for page in pages if drift.aspect.shown_by(page)]
    return pages if drift.shift or len(shown) > _MOST_SHOWING * len(pages) else shown


def _odd_pages(layout: str, memory: LayoutMemory, batch: Sequence[Page]) -> dict[str, str]:
    """The pages of a batch with an alarm that differ from earlier ones in any way."""
    odd = ((page, oddity(Scope(layout), memory.counts, page)) for page in batch)
    return {page.id: f"{layout}: {_difference(aspect)}, in a batch with an alarm" for page, aspect in odd if aspect}


def _difference(aspect: Aspect) -> str:
    return f"“{aspect.mark}” is {'missing' if aspect.gone else 'present'}, unlike on earlier pages"


def _again(aspect: Aspect) -> str:
    return f"{aspect.scope}: {_difference(aspect)}, for which an alarm was raised in this run"


def _alarm(scope: Scope, drifts: Sequence[Drift]) -> str:
    named = "; ".join(str(drift) for drift in drifts[:_NAMED])
    more = f"; and {len(drifts) - _NAMED} more" if len(drifts) > _NAMED else ""
    pages, what_to_do = ("hits", _WHAT_TO_DO_ABOUT_HITS) if are_hits(scope.layout) else ("pages", _WHAT_TO_DO)
    return f"{scope}: the {pages} differ from earlier ones: {named}{more}. {what_to_do}"
