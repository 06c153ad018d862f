"""Which article is published when and by whom: one Slot per article, drawn from the seed in one pass, without text.

A slot is small, so that a million of them are cheap. Everything else about an article follows from its slot.
"""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from random import Random
from typing import NamedTuple

from flows.replica.corpus.press import Press
from flows.replica.corpus.subjects import Subject

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Form(IntEnum):
    """What an article consists of, and its stage in a developing story."""

    TEXT = 0
    PHOTO = 1  # captioned photos, no text
    VIDEO = 2
    FLASH = 3  # 1보: a headline and a captioned photo
    SECOND = 4  # 2보: two paragraphs
    FULL = 5  # 종합


class Edit(IntEnum):
    """How an article is edited after its publication."""

    NONE = 0
    TITLE = 1
    BODY = 2
    BOTH = 3
    TWICE = 4  # first the body, then the title
    TOUCHED = 5  # a new modification time, the same text


class Copy(IntEnum):
    """How an article copies the text of another."""

    NONE = 0
    SAME = 1
    RESPACED = 2  # the same except for white space


class Slot(NamedTuple):
    """The plan of one article. Times are seconds; `since` counts from the beginning of the corpus.

    `press`, `subject`, `focus`, `layout`, `origin` and `rewrites` (-1: none) are indexes; `number` counts the articles
    of the press office (-1: not on Naver); `late` is the delay until lists show it; `edited` and `gone` are delays
    after publication (0: never).
    """

    since: int
    press: int
    number: int
    subject: int
    focus: int
    layout: int
    form: Form = Form.TEXT
    origin: int = -1
    copy: Copy = Copy.NONE
    late: int = 0
    edit: Edit = Edit.NONE
    edited: int = 0
    gone: int = 0
    rewrites: int = -1


@dataclass(frozen=True, slots=True)
class Shares:
    """How frequent everything is, as fractions of all articles."""

    on_topic: float = 0.5
    tie: float = 0.12
    copy: float = 0.06
    rewritten: float = 0.0
    edited: float = 0.08
    gone: float = 0.025
    late: float = 0.03
    flash: float = 0.012
    photo: float = 0.03
    video: float = 0.03
    elsewhere: float = 0.06
    layouts: tuple[float, ...] = (0.15, 0.2, 0.25, 0.4)


class Planner:
    """Draws the slots in order of publication."""

    def __init__(
        self, rng: Random, offices: Sequence[Press], subjects: Sequence[Subject], shares: Shares, span: int
    ) -> None:
        self._rng = rng
        self._offices = offices
        self._subjects = subjects
        self._shares = shares
        self._span = span
        self._numbers = [0] * len(offices)
        self._sequels: deque[tuple[int, Form]] = deque()
        self._slots: list[Slot] = []
        self._layouts = list(accumulate(shares.layouts))
        self._weights = {on: self._weigh(on=on) for on in (True, False)}

    def plan(self, articles: int) -> list[Slot]:
        """`articles` slots that Naver hosts, plus the fraction that it does not, in order of publication."""
        total = articles + int(articles * self._shares.elsewhere)
        elsewhere = set(self._rng.sample(range(total), total - articles))
        for index, since in enumerate(self._times(total)):
            self._slots.append(self._elsewhere(since) if index in elsewhere else self._hosted(index, since))
        self._rewrite()
        return self._slots

    def _rewrite(self) -> None:
        """Some articles become near-duplicates of a recent one. This comes last: the other slots stay as they are."""
        first_texts = {slot.origin for slot in self._slots}
        for index, slot in enumerate(self._slots):
            if index in first_texts or not self._is_plain(slot) or not self._rng.random() < self._shares.rewritten:
                continue
            source = index - 1 - self._pick(15)
            first = self._slots[max(source, 0)]
            if source >= 0 and self._is_plain(first) and first.rewrites < 0 and first.press != slot.press:
                self._slots[index] = slot._replace(subject=first.subject, focus=first.focus, rewrites=source)

    def _times(self, total: int) -> Iterator[int]:
        """Ascending times up to the span; ties are published in the same second."""
        moments = list(accumulate(self._gap() for _ in range(total)))
        scale = self._span / max(moments[-1], 1e-9)
        return (int(moment * scale) for moment in moments)

    def _gap(self) -> float:
        return 0.0 if self._rng.random() < self._shares.tie else self._rng.expovariate(1.0)

    def _weigh(self, *, on: bool) -> tuple[list[int], list[int]]:
        chosen = [at for at, subject in enumerate(self._subjects) if subject.on_topic is on]
        return chosen, list(accumulate(self._subjects[at].weight for at in chosen))

    def _subject(self) -> int:
        chosen, bounds = self._weights[self._rng.random() < self._shares.on_topic]
        return chosen[bisect(bounds, self._rng.random() * bounds[-1])]

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _pick(self, count: int) -> int:
        return int(self._rng.random() * count)

    def _number(self, press: int) -> int:
        self._numbers[press] += 1
        return self._numbers[press] - 1

    def _fresh(self, since: int, press: int, number: int) -> Slot:
        subject = self._subject()
        focus = self._pick(len(self._subjects[subject].focuses))
        layout = min(bisect(self._layouts, self._rng.random()), len(self._layouts) - 1)
        return Slot(since, press, number, subject, focus, layout)

    def _elsewhere(self, since: int) -> Slot:
        return self._fresh(since, self._pick(len(self._offices)), -1)

    def _hosted(self, index: int, since: int) -> Slot:
        return self._with_lifecycle(self._sequel(since) or self._copy(since) or self._own(index, since))

    def _sequel(self, since: int) -> Slot | None:
        """The 2보 or the full article that follows a flash after some other articles."""
        if not self._sequels or not self._chance(0.5):
            return None
        origin, form = self._sequels.popleft()
        first = self._slots[origin]
        return first._replace(since=since, number=self._number(first.press), form=form, origin=origin)

    def _copy(self, since: int) -> Slot | None:
        """The text of a recent article under another press office."""
        if not self._chance(self._shares.copy) or not self._slots:
            return None
        origin = len(self._slots) - 1 - self._pick(min(30, len(self._slots)))
        first = self._slots[origin]
        press = self._pick(len(self._offices))
        if not self._is_plain(first) or press == first.press:
            return None
        copy = Copy.SAME if self._chance(0.5) else Copy.RESPACED
        return first._replace(since=since, press=press, number=self._number(press), origin=origin, copy=copy)

    def _is_plain(self, slot: Slot) -> bool:
        """Whether another office may take over its text."""
        plain = slot.form is Form.TEXT and slot.copy is Copy.NONE and slot.number >= 0
        subject = self._subjects[slot.subject]
        return plain and not subject.opinion and not subject.arena

    def _own(self, index: int, since: int) -> Slot:
        press = self._pick(len(self._offices))
        slot = self._fresh(since, press, self._number(press))
        subject = self._subjects[slot.subject]
        if subject.opinion or subject.arena:
            return slot
        form = self._form()
        if form is Form.FLASH:
            self._sequels.extend([(index, Form.SECOND), (index, Form.FULL)])
        return slot._replace(form=form)

    def _form(self) -> Form:
        shares = self._shares
        bounds = list(accumulate((shares.flash, shares.photo, shares.video)))
        return (Form.FLASH, Form.PHOTO, Form.VIDEO, Form.TEXT)[bisect(bounds, self._rng.random())]

    def _with_lifecycle(self, slot: Slot) -> Slot:
        """Adds when lists show it, when it is edited and when it is deleted. A copy is never edited or deleted."""
        late = 2 * HOUR + self._pick(28 * HOUR) if self._chance(self._shares.late) else 0
        slot = slot._replace(late=late, edit=Edit.NONE, edited=0, gone=0)
        if slot.copy is not Copy.NONE:
            return slot
        if slot.form not in (Form.FLASH, Form.PHOTO) and self._chance(self._shares.edited):
            slot = slot._replace(edit=Edit(1 + self._pick(5)), edited=5 * MINUTE + self._pick(3 * DAY))
        gone = 3 * HOUR + self._pick(6 * DAY) if self._chance(self._shares.gone) else 0
        return slot._replace(gone=gone)
